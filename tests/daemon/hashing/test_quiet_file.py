"""A file is read from end to end, and the page cache is as it was."""

import ctypes
import mmap
import os
import random
from pathlib import Path

import pytest

from modelwarden.daemon.hashing import quiet_file
from modelwarden.daemon.hashing.quiet_file import QuietFile

PAGE = mmap.PAGESIZE
PIECE = 64 * PAGE
SIZE = 8 * PIECE + 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file on the disk, not in the cache."""
    path = tmp_path / "file"
    path.write_bytes(random.Random(5).randbytes(SIZE))
    descriptor = os.open(path, os.O_RDWR)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    if cached(path):
        pytest.skip("this file system is its own cache")
    return path


def cached(path: Path) -> set[int]:
    """The numbers of the pages that are in the cache, by mincore(2): to ask by reading would bring them in."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    descriptor = os.open(path, os.O_RDONLY)
    length = os.fstat(descriptor).st_size
    found = (ctypes.c_ubyte * -(-length // PAGE))()
    address = ctypes.c_void_p(
        libc.mmap(None, ctypes.c_size_t(length), mmap.PROT_READ, mmap.MAP_SHARED, descriptor, ctypes.c_long(0))
    )
    failed = libc.mincore(address, ctypes.c_size_t(length), found)
    libc.munmap(address, ctypes.c_size_t(length))
    os.close(descriptor)
    assert not failed
    return {number for number, state in enumerate(found) if state & 1}


def warm(path: Path, pages: range) -> None:
    """Brings pages into the cache, and no others."""
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    for number in pages:
        os.pread(descriptor, PAGE, number * PAGE)
    os.close(descriptor)


def read(path: Path) -> bytes:
    """All of it, piece by piece."""
    descriptor = os.open(path, os.O_RDONLY)
    file, content, room = QuietFile(descriptor), bytearray(), memoryview(bytearray(PIECE))
    while count := file.read_into(room, len(content)):
        content += room[:count]
    os.close(descriptor)
    return bytes(content)


def test_what_was_not_cached_is_not(path: Path) -> None:
    """Given a file that nobody has read, then none of it stays in the cache."""
    assert read(path) == random.Random(5).randbytes(SIZE)
    assert cached(path) == set()


def test_what_was_cached_stays(path: Path) -> None:
    """Given a file that is in the cache, then it is there still, every page."""
    pages = range(-(-SIZE // PAGE))
    warm(path, pages)
    assert read(path) == random.Random(5).randbytes(SIZE)
    assert cached(path) == set(pages)


@pytest.mark.parametrize("pages", [range(100), range(64, 256), range(130, 192), range(500, 513)])
def test_what_was_cached_in_part(path: Path, pages: range) -> None:
    """Given some pages in the cache, then no others are there later, and only those behind a gap in a piece left."""
    warm(path, pages)
    assert cached(path) == set(pages)
    assert read(path) == random.Random(5).randbytes(SIZE)
    gap = pages.start % 64
    kept = set(pages) - (set(range(pages.start, pages.start + 64 - gap)) if gap else set())
    assert cached(path) == kept


def test_who_cannot_tell_is_read_plainly(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel cannot say what is in the cache, nothing is dropped from it."""
    warm(path, range(64))

    class Silent:
        """The functions of `os`, on a file system without RWF_NOWAIT."""

        def __getattr__(self, name: str) -> object:
            return getattr(os, name)

        def preadv(self, descriptor: int, rooms: list[memoryview], offset: int, flags: int = 0) -> int:
            """As `os.preadv`."""
            if flags:
                raise OSError(95, "Operation not supported")
            return os.preadv(descriptor, rooms, offset)

    monkeypatch.setattr(quiet_file, "os", Silent())
    assert read(path) == random.Random(5).randbytes(SIZE)
    assert set(range(64)) <= cached(path)
