"""Kernel maps by descriptor: read, fill and empty them, one key or all of them in few calls."""

import ctypes
from collections.abc import Iterator

from modelwarden.probes.libbpf import fail, library, possible_processors

_BATCH_ROWS = 4096
_ENOENT, _ENOSPC = 2, 28


class BpfMap:
    """One map; keys and values are bytes of the sizes that the C side declares."""

    def __init__(self, name: str, descriptor: int, key_bytes: int, value_bytes: int) -> None:
        self.name = name
        self._fd = descriptor
        self._key_bytes = key_bytes
        self._value_bytes = value_bytes

    def update(self, key: bytes, value: bytes) -> None:
        """Sets one row; `OSError` when the map is full."""
        result = library().bpf_map_update_elem(self._fd, key, value, ctypes.c_uint64(0))
        if result < 0:
            fail(f"map {self.name}", result)

    def lookup(self, key: bytes) -> bytes | None:
        """The value of one key, `None` when there is none."""
        value = ctypes.create_string_buffer(self._value_bytes)
        return value.raw if library().bpf_map_lookup_elem(self._fd, key, value) == 0 else None

    def delete(self, key: bytes) -> None:
        """Removes one row; a row that is not there is no error."""
        result = library().bpf_map_delete_elem(self._fd, key)
        if result < 0 and ctypes.get_errno() != _ENOENT:
            fail(f"map {self.name}", result)

    def rows(self, *, delete: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """All rows of a hash map as (keys, values), a batch each (kernel 5.6); `delete` takes them out.

        Both are the rows' bytes one behind the other.
        """
        call = library().bpf_map_lookup_and_delete_batch if delete else library().bpf_map_lookup_batch
        keys = ctypes.create_string_buffer(_BATCH_ROWS * self._key_bytes)
        values = ctypes.create_string_buffer(_BATCH_ROWS * self._value_bytes)
        position, following = None, ctypes.create_string_buffer(max(8, self._key_bytes))
        while True:
            count = ctypes.c_uint32(_BATCH_ROWS)
            result = call(self._fd, position, following, keys, values, ctypes.byref(count), None)
            number = ctypes.get_errno() if result < 0 else 0
            if number not in {0, _ENOENT, _ENOSPC}:
                fail(f"map {self.name}", result)
            if count.value and number != _ENOSPC:
                yield keys.raw[: count.value * self._key_bytes], values.raw[: count.value * self._value_bytes]
            if number:
                return
            position, following = following, ctypes.create_string_buffer(following.raw, len(following.raw))


class PerCpuCounters:
    """An array map with one 64-bit counter a processor and index."""

    def __init__(self, name: str, descriptor: int, entries: int) -> None:
        self._map = BpfMap(name, descriptor, 4, 8 * possible_processors())
        self.entries = entries

    def read(self) -> list[int]:
        """The sum over the processors, for each index."""
        totals = []
        for index in range(self.entries):
            raw = self._map.lookup(index.to_bytes(4, "little")) or b""
            totals.append(sum(memoryview(raw).cast("Q")))
        return totals
