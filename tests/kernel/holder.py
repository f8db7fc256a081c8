"""A process that holds files in one way and waits: `python -S holder.py WAY PATH…`, its input is a socket or a pipe."""

import ctypes
import mmap
import os
import platform
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

CLONE_FILES = 0x400
EXIT = {"x86_64": 60, "aarch64": 93}[platform.machine()]
"""Of one thread only."""
KEPT: list[mmap.mmap] = []
LIBC = ctypes.CDLL(None, use_errno=True)


def own(path: str) -> int:
    """A descriptor for reading."""
    return os.open(path, os.O_RDONLY)


def map_only(descriptor: int) -> None:
    """Maps through the C library, for Python would keep a descriptor of its own."""
    LIBC.mmap.restype = ctypes.c_void_p
    LIBC.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ, mmap.MAP_SHARED, descriptor, ctypes.c_long(0))
    os.close(descriptor)


def memfd(path: str) -> int:
    """A file in memory, called like the path."""
    descriptor = os.memfd_create(Path(path).name)
    os.write(descriptor, b"GGUF")
    return descriptor


def both(path: str) -> None:
    """Open for writing only, mapped for reading."""
    os.open(path, os.O_WRONLY)
    map_only(own(path))


def many_times(path: str) -> None:
    """Five descriptors, five mappings."""
    for _ in range(5):
        map_only(own(path))
        own(path)


def mapped(path: str) -> None:
    """A mapping and no descriptor."""
    map_only(own(path))


def made_here(path: str) -> None:
    """For a file that nobody else could have made."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    own(path)


HOLD: dict[str, Callable[[str], object]] = {
    "nothing": lambda _path: None,
    "read": own,
    "alone": own,
    "apart": own,
    "written": lambda path: os.open(path, os.O_WRONLY),
    "both": both,
    "many times": many_times,
    "deleted": lambda path: (own(path), Path(path).unlink()),
    "mapped": mapped,
    "deleted mapping": lambda path: (mapped(path), Path(path).unlink()),
    "memfd": memfd,
    "memfd mapping": lambda path: map_only(memfd(path)),
    "shared memory": lambda _path: KEPT.append(mmap.mmap(-1, 64 << 20)),
    "made here": made_here,
    "name only": lambda path: os.open(path, os.O_PATH),
    "received": lambda _path: socket.recv_fds(socket.socket(fileno=os.dup(0)), 1, 1),
}


def wait() -> None:
    """Until whoever started us lets go."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    os.read(0, 1)


def main() -> None:
    """Holds, then waits, in the first thread or in another one."""
    way, *paths = sys.argv[1:]

    def act() -> None:
        if way == "apart":
            LIBC.unshare(CLONE_FILES)
        for path in paths:
            HOLD[way](path)
        wait()
        os._exit(0)

    if way not in {"alone", "apart"}:
        act()
    thread = threading.Thread(target=act)
    thread.start()
    if way == "alone":
        LIBC.syscall(EXIT, 0)
    thread.join()


if __name__ == "__main__":
    main()
