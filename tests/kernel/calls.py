"""Ways to open and map files that no library offers: io_uring, 32-bit system calls, file handles. x86_64 only."""

import ctypes
import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
OPENAT, OPENAT2 = 18, 28
LINKED, ASYNCHRONOUS = 4, 16
ANY_SLOT = 0xFFFFFFFF
POLLED = 2
_SETUP, _ENTER, _REGISTER = 425, 426, 427
_REGISTER_FILES, _GET_EVENTS, _WAKE = 2, 1, 2
_MAP_32BIT = 0x40
_SLOTS = 8
_NARROW_CALL = bytes.fromhex("5355 89f0 8b1f 8b4f04 8b5708 8b770c 8b6f14 8b7f10 cd80 5d5b c3")
"""Six arguments from memory at rdi to ebx, ecx, edx, esi, edi, ebp; the number from esi; `int 0x80`."""


def call(number: int, *arguments: object) -> int:
    """A system call by number; `OSError` when it fails."""
    result: int = LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def open_by_handle(path: Path) -> int:
    """Opens what a path leads to without a path."""
    handle, mount = ctypes.create_string_buffer(struct.pack("<II", 128, 0), 136), ctypes.c_int()
    call(303, AT_FDCWD, os.fsencode(path), handle, ctypes.byref(mount), 0)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return call(304, folder, handle, os.O_RDONLY)
    finally:
        os.close(folder)


class Narrow:
    """System calls as 32-bit programs make them; `OSError` where the kernel takes none."""

    def __init__(self) -> None:
        if not _takes_narrow_calls():
            raise OSError("this kernel takes no 32-bit system calls")
        self._call, self._memory = _narrow_call()

    def open(self, path: Path) -> int:
        """Opens to read, by the number of i386."""
        return self.call(5, self.text(path), os.O_RDONLY)

    def map(self, descriptor: int, size: int) -> int:
        """A private mapping to read, by the number of i386 (mmap2)."""
        return self.call(192, 0, size, mmap.PROT_READ, mmap.MAP_PRIVATE, descriptor, 0)

    def text(self, path: Path) -> int:
        """Where a path lies in low memory."""
        ctypes.memmove(self._memory + 1024, os.fsencode(path) + b"\0", len(os.fsencode(path)) + 1)
        return self._memory + 1024

    def call(self, number: int, *arguments: int) -> int:
        """Any call; addresses must be below 4 GiB."""
        words = (ctypes.c_uint32 * 6)(*(one & 0xFFFFFFFF for one in arguments))
        result = self._call(words, number)
        if -4096 < result < 0:
            raise OSError(-result, os.strerror(-result))
        return result


def _narrow_call() -> tuple[Callable[..., int], int]:
    LIBC.mmap.restype, LIBC.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, *[ctypes.c_long] * 5]
    protection = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    memory: int = LIBC.mmap(None, 16384, protection, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_32BIT, -1, 0)
    ctypes.memmove(memory, _NARROW_CALL, len(_NARROW_CALL))
    return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(memory), memory


def _takes_narrow_calls() -> bool:
    """Tried in a child, which a kernel that takes none ends."""
    child = os.fork()
    if child == 0:
        narrow, _ = _narrow_call()
        os._exit(int(narrow((ctypes.c_uint32 * 6)(), 20) != os.getpid()))  # getpid
    return os.waitpid(child, 0)[1] == 0


class IoUring:
    """One ring, one request at a time. Source: include/uapi/linux/io_uring.h. `OSError` where it is disabled."""

    def __init__(self, flags: int = 0) -> None:
        parameters = ctypes.create_string_buffer(struct.pack("<II", 0, 0) + struct.pack("<III", flags, 0, 1000), 120)
        self._fd = call(_SETUP, 4, parameters)
        entries, completions = struct.unpack_from("<II", parameters)
        self._submit_at, self._complete_at = (
            struct.unpack_from("<10I", parameters, 40),
            struct.unpack_from("<10I", parameters, 80),
        )
        self._submit = mmap.mmap(self._fd, self._submit_at[6] + 4 * entries, offset=0)
        self._complete = mmap.mmap(self._fd, self._complete_at[5] + 16 * completions, offset=0x8000000)
        self._requests = mmap.mmap(self._fd, 64 * entries, offset=0x10000000)
        self._is_polled = bool(flags & POLLED)

    def offer_slots(self) -> None:
        """Makes a table of files of the ring's own, empty."""
        call(_REGISTER, self._fd, _REGISTER_FILES, (ctypes.c_int * _SLOTS)(*[-1] * _SLOTS), _SLOTS)

    def open(self, path: Path, operation: int = OPENAT, flags: int = 0, slot: int = 0) -> int:
        """Opens to read; the descriptor, or with a slot (counted from 1, or `ANY_SLOT`) what the ring answers."""
        text, how = ctypes.create_string_buffer(os.fsencode(path)), (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
        length, more = (24, ctypes.addressof(how)) if operation == OPENAT2 else (0, 0)
        request = struct.pack(
            "<BBHiQQIIQHHI",
            operation,
            flags,
            0,
            AT_FDCWD,
            more,
            ctypes.addressof(text),
            length,
            os.O_RDONLY,
            7,
            0,
            0,
            slot,
        )
        return self.run(request)

    def run(self, request: bytes) -> int:
        """Carries out one request of 48 bytes and waits for it; `OSError` when it failed."""
        tail, mask = self._word(self._submit, self._submit_at[1]), self._word(self._submit, self._submit_at[2])
        self._requests[64 * (tail & mask) : 64 * (tail & mask) + 64] = request.ljust(64, b"\0")
        self._set(self._submit, self._submit_at[6] + 4 * (tail & mask), tail & mask)
        self._set(self._submit, self._submit_at[1], tail + 1)
        call(_ENTER, self._fd, 1, 1, _GET_EVENTS | (_WAKE if self._is_polled else 0), None, 0)
        head, mask = self._word(self._complete, self._complete_at[0]), self._word(self._complete, self._complete_at[2])
        result: int = struct.unpack_from("<Qi", self._complete, self._complete_at[5] + 16 * (head & mask))[1]
        self._set(self._complete, self._complete_at[0], head + 1)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result

    def close(self) -> None:
        """Ends the ring and what it holds."""
        for memory in (self._submit, self._complete, self._requests):
            memory.close()
        os.close(self._fd)

    @staticmethod
    def _set(memory: mmap.mmap, offset: int, value: int) -> None:
        """In one store: a polling thread of the kernel would see the zeros that `struct.pack_into` writes first."""
        word = ctypes.c_uint32.from_buffer(memory, offset)
        word.value = value
        del word  # or the mapping could not be closed

    @staticmethod
    def _word(memory: mmap.mmap, offset: int) -> int:
        word: int = struct.unpack_from("<I", memory, offset)[0]
        return word
