"""Reads the kernel's ring buffer through libbpf: a descriptor to wait on, bounded batches of copied records."""

import ctypes
from collections.abc import Callable

from modelwarden.probes.libbpf import fail, library

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_STOP = -1
"""A negative answer of the callback ends a drain behind the record that it was given (libbpf, ringbuf.c)."""


class Ring:
    """One ring buffer. Not thread-safe: one reader."""

    def __init__(self, descriptor: int) -> None:
        lib = library()
        lib.ring_buffer__new.restype = ctypes.c_void_p
        self._batch: list[bytes] = []
        self._limit = 0
        # The callback must not raise: ctypes would swallow it and the record with it. It copies and counts.
        self._callback = _CALLBACK(self._take)
        made = lib.ring_buffer__new(descriptor, self._callback, None, None)
        if not made:
            fail("ring buffer")
        self._ring: ctypes.c_void_p | None = ctypes.c_void_p(made)

    @property
    def descriptor(self) -> int:
        """Readable when the kernel has forced a wake-up."""
        return int(library().ring_buffer__epoll_fd(self._ring))

    def drain(self, limit: int, handle: Callable[[list[bytes]], None]) -> tuple[bool, int]:
        """Hands over up to `limit` records; says whether there may be more, and how many there were."""
        self._batch, self._limit = [], limit
        result: int = library().ring_buffer__consume(self._ring)
        if result < 0 and result != _STOP:
            fail("ring buffer", result)
        taken = len(self._batch)
        if taken:
            handle(self._batch)
        return result == _STOP, taken

    def close(self) -> None:
        """Lets go of the memory that is shared with the kernel."""
        if self._ring is not None:
            library().ring_buffer__free(self._ring)
            self._ring = None

    def _take(self, _context: int, data: int, size: int) -> int:
        self._batch.append(ctypes.string_at(data, size))
        return _STOP if len(self._batch) >= self._limit else 0
