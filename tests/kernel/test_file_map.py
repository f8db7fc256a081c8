"""The probe file_map: who maps a model that somebody else has opened."""

import ctypes
import mmap
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.calls import Narrow
from tests.kernel.watch import LARGE_BYTES, Watch, by_each_hook

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.kernel.file_map import PROBE, FileMapped
from modelwarden.probes.kernel.file_open import FileOpened

pytestmark = pytest.mark.bpf

MakeFile = Callable[..., Path]
TIMES = 101


either_kernel = by_each_hook(PROBE)


def in_child(act: Callable[[], None]) -> int:
    """Runs a function in a process of its own; its number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    return child


def read_mapped(descriptor: int) -> None:
    """Maps a file, looks into it and lets go."""
    with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as memory:
        assert len(memory[:1]) == 1


def mapped(watch: Watch, path: Path) -> list[FileMapped]:
    """The reported mappings of a path."""
    return [event for event in watch.of(FileMapped) if event.path == str(path)]


def test_a_descriptor_that_came_over_a_socket(watch: Watch, make_file: MakeFile) -> None:
    """101 processes that receive descriptors and map them are 101 events, with who and which."""
    paths = [make_file(f"{number}.gguf") for number in range(TIMES)]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY)
            socket.send_fds(ours, [b"x"], [descriptor])
            os.close(descriptor)

        readers = [in_child(lambda: read_mapped(socket.recv_fds(theirs, 1, 1)[1][0])) for _ in paths]

    found = [event for event in watch.of(FileMapped) if event.pid in readers]
    assert [(event.path, event.pid) for event in found] == [
        (str(path), pid) for path, pid in zip(paths, readers, strict=True)
    ]
    for event in found:
        facts = Path(event.path).stat()
        assert (event.inode, event.size, event.ctime_ns) == (facts.st_ino, facts.st_size, facts.st_ctime_ns)
        assert event.reasons & Candidate.STRONG_SUFFIX


def test_an_inherited_descriptor(watch: Watch, make_file: MakeFile) -> None:
    """A child that maps what its parent has opened is a reader of its own, once however often it maps."""
    path = make_file("inherited.gguf")
    with path.open("rb") as file:
        pid = in_child(lambda: [read_mapped(file.fileno()) for _ in range(TIMES)] and None)

    assert [event.pid for event in mapped(watch, path)] == [pid]


def test_who_has_opened_it_says_nothing_new(watch: Watch, make_file: MakeFile) -> None:
    """The open was reported: a mapping of the same file by the same process is no event."""
    path = make_file("own.gguf")
    with path.open("rb") as file:
        read_mapped(file.fileno())

    assert len([event for event in watch.of(FileOpened) if event.path == str(path)]) == 1
    assert mapped(watch, path) == []


def test_a_file_in_memory(watch: Watch) -> None:
    """Weights that were never a file of their own are seen when they are mapped: by size, or by their name."""
    dull, large, named = os.memfd_create("w"), os.memfd_create("w"), os.memfd_create("w.gguf")
    for made, size in ((dull, 4096), (large, LARGE_BYTES), (named, 4096)):
        os.truncate(made, size)
        read_mapped(made)
    inodes = [os.fstat(made).st_ino for made in (dull, large, named)]
    for made in (dull, large, named):
        os.close(made)

    found = {event.inode: event.path for event in watch.of(FileMapped) if event.pid == os.getpid()}
    assert [found.get(inode) for inode in inodes] == [None, "/memfd:w", "/memfd:w.gguf"]


def test_mapping_marks_the_process(watch: Watch, make_file: MakeFile) -> None:
    """Who maps weights is watched from that instant on, as who opens them."""
    path, other = make_file("marks.gguf"), make_file("dull.txt", 3)
    with path.open("rb") as file:

        def act() -> None:
            read_mapped(file.fileno())
            other.read_bytes()

        pid = in_child(act)

    [event] = [event for event in watch.of(FileOpened) if event.path == str(other)]
    assert (event.pid, event.reasons) == (pid, Candidate.WATCHED)


def test_by_a_32_bit_call(watch: Watch, make_file: MakeFile) -> None:
    """mmap2 of a 32-bit program has another number and other registers."""
    try:
        narrow = Narrow()
    except OSError as error:
        pytest.skip(str(error))
    path = make_file("narrow.gguf")
    with path.open("rb") as file:
        pid = in_child(lambda: narrow.map(file.fileno(), 4096) and None)

    assert [event.pid for event in mapped(watch, path)] == [pid]


def test_what_is_no_mapping_of_a_file(watch: Watch, make_file: MakeFile) -> None:
    """Memory without a file, and mappings that fail, are silent."""
    path = make_file("failed.gguf")
    with path.open("wb") as file:
        file.write(b"x")
        file.flush()
        with pytest.raises(PermissionError):
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    mmap.mmap(-1, LARGE_BYTES).close()
    ctypes.CDLL(None).mmap(None, 4096, mmap.PROT_READ, mmap.MAP_PRIVATE, 999, 0)

    assert mapped(watch, path) == []
