"""Every way to a file that there is: each above a hundred times, exactly that many events, the right file each time."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fuse import Fuse
from tests.kernel.calls import ANY_SLOT, ASYNCHRONOUS, OPENAT, OPENAT2, POLLED, IoUring, Narrow, open_by_handle
from tests.kernel.watch import LARGE_BYTES, Watch

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.probe import HookKind

pytestmark = pytest.mark.bpf

MakeFile = Callable[..., Path]
TIMES = 101


def state_of_file_open(watch: Watch) -> tuple[HookKind | None, str]:
    """The hook in use, and what it does not see."""
    [state] = [state for state in watch.kernel.states if state.name == "file_open"]
    return state.hook, state.reason or ""


def expect(watch: Watch, paths: list[Path], times: int = 1) -> None:
    """Each of the files was reported so often by this process, with its own identity."""
    found = [event for event in watch.of(FileOpened) if event.path in {str(path) for path in paths}]
    assert sorted(event.path for event in found) == sorted(str(path) for path in paths * times)
    for event in found:
        facts = Path(event.path).stat()
        assert (event.inode, event.size, event.pid) == (facts.st_ino, facts.st_size, os.getpid())


def test_by_handle(watch: Watch, make_file: MakeFile) -> None:
    """open_by_handle_at needs no path, and is reported with one."""
    paths = [make_file(f"{number}.gguf") for number in range(TIMES)]

    for path in paths:
        os.close(open_by_handle(path))

    expect(watch, paths)


def test_by_32_bit_calls(watch: Watch, make_file: MakeFile) -> None:
    """Any program may call as 32-bit ones do; the tracepoints do not see it, and are said to be blind."""
    try:
        narrow = Narrow()
    except OSError as error:
        pytest.skip(str(error))
    paths = [make_file(f"{number}.gguf") for number in range(TIMES)]

    for path in paths:
        os.close(narrow.open(path))

    hook, reason = state_of_file_open(watch)
    is_blind = hook is HookKind.TRACEPOINT
    expect(watch, [] if is_blind else paths)
    assert ("does not see 32-bit" in reason) == is_blind
    if is_blind:
        assert [event for event in watch.of(FileOpened) if event.path == str(paths[0])] == []


@pytest.fixture(params=[0, POLLED], ids=["plain", "polled"])
def ring(request: pytest.FixtureRequest) -> Iterator[IoUring]:
    """A ring that the kernel runs when it is asked, and one that a thread of the kernel polls."""
    try:
        made = IoUring(request.param)
    except OSError as error:
        pytest.skip(f"no io_uring here: {error.strerror}")
    yield made
    made.close()


@pytest.mark.parametrize("flags", [0, ASYNCHRONOUS], ids=["inline", "worker"])
@pytest.mark.parametrize("operation", [OPENAT, OPENAT2], ids=["openat", "openat2"])
def test_by_io_uring(watch: Watch, make_file: MakeFile, ring: IoUring, operation: int, flags: int) -> None:
    """An open through io_uring passes no system call of its own, and is reported all the same."""
    paths = [make_file(f"{number}.gguf") for number in range(TIMES)]

    for path in paths:
        os.close(ring.open(path, operation, flags))

    _, reason = state_of_file_open(watch)
    expect(watch, [] if "io_uring is not seen" in reason else paths)


@pytest.mark.parametrize("slot", [3, ANY_SLOT], ids=["chosen", "any"])
def test_by_io_uring_without_a_descriptor(watch: Watch, make_file: MakeFile, ring: IoUring, slot: int) -> None:
    """What is opened into the ring's own table has no descriptor that one could look at."""
    ring.offer_slots()
    paths = [make_file(f"{number}.gguf") for number in range(8)]
    try:
        for path in paths:
            ring.open(path, slot=slot)
    except OSError as error:
        pytest.skip(f"this kernel opens nothing without a descriptor: {error.strerror}")

    _, reason = state_of_file_open(watch)
    expect(watch, [] if "io_uring is not seen" in reason else paths)


def test_a_file_in_memory(watch: Watch) -> None:
    """A memfd has a name but no folder; opened through /proc it is a file like others."""
    made = os.memfd_create("tiny.gguf")
    os.write(made, b"GGUF")

    for _ in range(TIMES):
        os.close(os.open(f"/proc/self/fd/{made}", os.O_RDONLY))
    inode = os.fstat(made).st_ino
    os.close(made)

    [event] = [event for event in watch.of(FileOpened) if event.inode == inode]
    assert event.path == "/memfd:tiny.gguf"
    assert [one.count for one in watch.repetitions() if one.inode == inode] == [TIMES - 1]


def test_through_the_root_of_a_process(watch: Watch, make_file: MakeFile) -> None:
    """/proc/self/root leads past nothing: the file is reported where it is."""
    paths = [make_file(f"{number}.gguf") for number in range(TIMES)]

    for path in paths:
        os.close(os.open(f"/proc/self/root{path}", os.O_RDONLY))

    expect(watch, paths)


def test_in_shared_memory(watch: Watch, make_file: MakeFile) -> None:
    """/dev/shm is a folder like others."""
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("no /dev/shm here")
    paths = [make_file(f"modelwarden-test-{os.getpid()}-{number}.gguf", 100, folder) for number in range(TIMES)]
    try:
        for path in paths:
            os.close(os.open(path, os.O_RDONLY))
        expect(watch, paths)
    finally:
        for path in paths:
            path.unlink()


@pytest.fixture
def overlay(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """An overlay file system: its lower folder, and where it is mounted."""
    folders = [tmp_path / name for name in ("lower", "upper", "work", "merged")]
    for folder in folders:
        folder.mkdir()
    lower, upper, work, merged = folders
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    tried = subprocess.run(
        ["/bin/mount", "-t", "overlay", "overlay", "-o", options, merged], check=False, capture_output=True, text=True
    )
    if tried.returncode != 0:
        pytest.skip(f"no overlay file system here: {tried.stderr.strip()}")
    yield lower, merged
    subprocess.run(["/bin/umount", "-l", merged], check=True)


def test_on_an_overlay_once(watch: Watch, make_file: MakeFile, overlay: tuple[Path, Path]) -> None:
    """An overlay opens the file of the layer below as well: that is its own affair, and no second event."""
    lower, merged = overlay
    inodes = {make_file(f"{number}.gguf", 100, lower).name: 0 for number in range(TIMES)}

    for name in inodes:
        os.close(os.open(merged / name, os.O_RDONLY))

    found = [
        event for event in watch.of(FileOpened) if event.path.rpartition("/")[2] in inodes and event.pid == os.getpid()
    ]
    assert sorted(event.path for event in found) == sorted(str(merged / name) for name in inodes)
    assert {os.major(event.device) for event in found} == {0}


def test_on_fuse_once(watch: Watch, tmp_path: Path) -> None:
    """A file system in user space: one open is one event."""
    try:
        with Fuse(tmp_path, b"x" * 100):
            for _ in range(TIMES):
                os.close(os.open(tmp_path / "tiny.gguf", os.O_RDONLY))
    except OSError as error:
        pytest.skip(f"no FUSE here: {error.strerror}")

    assert len(watch.opens(tmp_path / "tiny.gguf")) == 1
    assert sum(one.count for one in watch.repetitions() if one.pid == os.getpid() and one.inode == 4711) == TIMES - 1


@pytest.mark.parametrize(("flags", "created"), [(os.O_CREAT | os.O_RDWR, 1), (os.O_RDWR, 0)])
def test_says_that_a_file_was_made(watch: Watch, tmp_path: Path, flags: int, created: int) -> None:
    """An open that makes the file says so; one that finds it does not, whatever it would have done."""
    path = tmp_path / "new.gguf"
    if not created:
        os.mknod(path)

    os.close(os.open(path, flags))
    os.close(os.open(path, flags | os.O_CREAT, 0o600))

    assert [event.created for event in watch.opens(path)] == [created]


def test_an_open_that_empties_says_so(watch: Watch, make_file: MakeFile) -> None:
    """Whatever the hook, the size is that after the open."""
    path = make_file("full.gguf", 5000)

    os.close(os.open(path, os.O_RDWR | os.O_TRUNC))

    [event] = watch.opens(path)
    assert event.size == 0


def test_a_file_that_a_policy_names(watch: Watch, make_file: MakeFile) -> None:
    """A tamper target is reported when it may be written to, and not when it is read."""
    paths = [make_file("ld.so.preload", 3), make_file("xld.so.preload", 3), make_file("ld.so.preloa", 3)]

    for path in paths:
        os.close(os.open(path, os.O_RDONLY))
    silent = [event for path in paths for event in watch.opens(path)]
    for path in paths:
        os.close(os.open(path, os.O_WRONLY))

    assert silent == []
    assert [event.reasons for event in watch.opens(paths[0])] == [Candidate.NAMED_FILE]
    assert [event for path in paths[1:] for event in watch.opens(path)] == []


@pytest.mark.parametrize("name", ["a", "7 bytes", "8 bytes!", "9 bytes !", "x" * 17, "y" * 255, "é.conf"])
def test_names_of_every_length(watch: Watch, make_file: MakeFile, name: str) -> None:
    """A name is compared as a whole, by its two ends and its length."""
    watch.kernel.name_files([name])
    path, other = make_file(name, 3), make_file(f"{name[:-1]}_" if name[-1] != "_" else "z", 3)

    for one in (path, other):
        os.close(os.open(one, os.O_WRONLY))

    assert [event.reasons for event in watch.opens(path)] == [Candidate.NAMED_FILE]
    assert watch.opens(other) == []


def test_a_large_file_in_memory_is_seen_when_it_is_mapped_elsewhere(watch: Watch) -> None:
    """What a memfd holds is of no interest before somebody uses it; its size alone is reason enough then."""
    made = os.memfd_create("nothing")
    os.truncate(made, LARGE_BYTES)
    os.close(os.open(f"/proc/self/fd/{made}", os.O_RDONLY))
    inode = os.fstat(made).st_ino
    os.close(made)

    [event] = [event for event in watch.of(FileOpened) if event.inode == inode]
    assert event.reasons == Candidate.LARGE
