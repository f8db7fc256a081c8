"""What /proc shows of real processes, and what becomes of files in it that make no sense."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import file_systems
from tests.finding import needs_root

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.clock import TICK_NS, boot_ns
from modelwarden.probes.event import Event
from modelwarden.probes.sampled.procfs import FileFound, ProcessFound, Procfs, Resynced, start_of

LARGE = 32 << 20
Start = Callable[..., int]

CHILD = """
import ctypes, mmap, os, sys
action, path = sys.argv[1], sys.argv[2]
path = os.fsencode(path)
if action == "read":
    [os.open(one, os.O_RDONLY) for one in sys.argv[2:]]
elif action == "write":
    os.open(path, os.O_WRONLY)
elif action == "both":
    os.open(path, os.O_WRONLY); os.open(path, os.O_RDONLY)
elif action == "deleted":
    os.open(path, os.O_RDONLY); os.unlink(path)
elif action == "mapped":
    keep = []
    for one in sys.argv[2:]:
        held = os.open(one, os.O_RDONLY); keep.append(mmap.mmap(held, 0, prot=mmap.PROT_READ)); os.close(held)
    # what mmap duplicates would be a descriptor of its own
    [os.close(int(n)) for n in os.listdir("/proc/self/fd") if int(n) > 2 and os.path.exists(f"/proc/self/fd/{n}")]
elif action == "memfd":
    held = os.memfd_create(path); os.write(held, bytes(5000))
    keep = mmap.mmap(held, 0, prot=mmap.PROT_READ)
    if sys.argv[3:]:
        [os.close(int(n)) for n in os.listdir("/proc/self/fd") if int(n) > 2 and os.path.exists(f"/proc/self/fd/{n}")]
elif action == "name":
    ctypes.CDLL(None).prctl(15, path, 0, 0, 0)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child() -> Iterator[Start]:
    """Starts processes that do one thing with a path and wait."""
    running: list[subprocess.Popen[bytes]] = []

    def start(action: str, path: Path | str, *more: str) -> int:
        words = [sys.executable, "-c", CHILD, action, str(path), *more]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process.pid

    yield start
    for process in running:
        process.communicate()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file that is called like a model."""
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF" + bytes(5000))
    return path


def look(pid: int) -> tuple[ProcessFound, list[FileFound]]:
    """One process with its files."""
    process, *held = Procfs(LARGE).one(boot_ns(), pid)
    assert isinstance(process, ProcessFound)
    return process, [one for one in held if isinstance(one, FileFound)]


def test_process(child: Start) -> None:
    """A process is found with what the kernel would say of it."""
    process, held = look(child("nothing", "x y"))
    assert process.parent_pid == os.getpid()
    assert process.uid == os.getuid()
    assert process.arguments[-2:] == ("nothing", "x y")
    assert process.path == os.readlink(f"/proc/{process.pid}/exe")  # noqa: PTH115
    assert process.mount_ns == Path("/proc/self/ns/mnt").stat().st_ino
    assert process.pid_ns == Path("/proc/self/ns/pid").stat().st_ino
    assert process.start_ns % TICK_NS == 0
    assert process.start_ns == start_of(process.pid) <= boot_ns()
    assert held == []


@pytest.mark.parametrize(
    ("action", "mapped", "writable"), [("read", False, False), ("write", False, True), ("mapped", True, False)]
)
def test_held_file(child: Start, model: Path, action: str, mapped: bool, writable: bool) -> None:
    """A candidate is found by descriptor or by mapping, with its identity, and whether it is only written."""
    _, (held,) = look(child(action, model))
    facts = model.stat()
    assert (held.device, held.inode, held.size) == (facts.st_dev, facts.st_ino, facts.st_size)
    assert (held.mtime_ns, held.ctime_ns) == (facts.st_mtime_ns, facts.st_ctime_ns)
    assert (held.path, held.reasons) == (str(model), int(Candidate.STRONG_SUFFIX))
    assert (held.mapped, held.writable) == (mapped, writable)


def test_writing_does_not_hide_reading(child: Start, model: Path) -> None:
    """Given two descriptors of one file, the first for writing, then the reading is found."""
    _, held = look(child("both", model))
    assert [one.writable for one in held].count(False) == 1


def test_deleted_file(child: Start, model: Path) -> None:
    """A file without a name any more still has the one that it had."""
    inode = model.stat().st_ino
    _, (held,) = look(child("deleted", model))
    assert (held.path, held.inode) == (str(model), inode)


@pytest.mark.parametrize("name", ["a\x0cb.gguf", "a\rb.gguf", "a\u2028b.gguf", "x\x0cz z z z 1 z.gguf", "a\nb.gguf"])
@pytest.mark.parametrize("action", ["read", "mapped"])
def test_hostile_file_name_hides_nothing(child: Start, tmp_path: Path, name: str, action: str) -> None:
    """What ends a line to Python and not to the kernel ends neither the name nor the process."""
    path = tmp_path / name
    path.write_bytes(bytes(5000))
    _, held = look(child(action, path))
    assert [one.path for one in held] == [str(path)]


@pytest.mark.parametrize(("closed", "mapped"), [((), False), (("closed",), True)])
def test_memfd(child: Start, closed: tuple[str, ...], mapped: bool) -> None:
    """A file in memory is found by the name that its maker gave it, open or only mapped."""
    _, (held,) = look(child("memfd", "x.gguf", *closed))
    assert (held.path, held.size, held.mapped) == ("/memfd:x.gguf", 5000, mapped)


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("action", ["read", "mapped", "deleted"])
@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_the_device_is_the_superblocks(child: Start, tmp_path: Path, model: Path, kind: str, action: str) -> None:
    """Where stat shows a subvolume's or a layer's device, a held file has the one that kernel records have."""
    with file_systems.mounted(kind, tmp_path / "mounts", model) as path:
        inode = path.stat().st_ino
        _, (held,) = look(child(action, path))
        assert (held.device, held.inode) == (file_systems.kernel_device(path.parents[1]), inode)
        assert held.path == str(path)


@pytest.mark.root
@needs_root
def test_subvolumes_count_their_inodes_for_themselves(child: Start, tmp_path: Path, model: Path) -> None:
    """Given two files with one number on one device, in two subvolumes of btrfs, then both are found."""
    with file_systems.mounted("btrfs", tmp_path / "mounts", model) as path:
        other = path.parents[1] / "other"
        subprocess.run(["/usr/bin/env", "btrfs", "subvolume", "create", other], check=True, stdout=subprocess.DEVNULL)
        (other / "b.gguf").write_bytes(bytes(6000))
        assert (other / "b.gguf").stat().st_ino == path.stat().st_ino
        for action in ("read", "mapped"):
            _, held = look(child(action, path, str(other / "b.gguf")))
            assert {one.path for one in held} == {str(path), str(other / "b.gguf")}
            assert {one.device for one in held} == {file_systems.kernel_device(path.parents[1])}


def test_other_files_are_not_told(child: Start, tmp_path: Path) -> None:
    """What is no candidate is nobody's business."""
    plain = tmp_path / "notes.txt"
    plain.write_text("x")
    assert look(child("read", plain))[1] == []


@pytest.mark.parametrize("name", ["a) S 1 (b", "a\nUid: 7", "a\x0cUid:\t7\t7", "a\rUid:\t7\t7", "\u2028", "(((", "a b"])
def test_hostile_process_name(child: Start, name: str) -> None:
    """A process cannot change its parent, its start or its user by its name."""
    process, _ = look(child("name", name))
    assert (process.parent_pid, process.uid) == (os.getpid(), os.getuid())
    assert 0 <= boot_ns() - process.start_ns < 60_000_000_000


def test_secrets_are_redacted(child: Start) -> None:
    """What /proc shows of a command line has no secrets in it."""
    process, _ = look(child("nothing", "x", "--api-key", "S3cr3t", "HF_TOKEN=S3cr3t"))
    assert "S3cr3t" not in " ".join(process.arguments)
    assert process.arguments[-3:-1] == ("--api-key", "[redacted]")


def test_zombie_is_gone() -> None:
    """A process that has ended is left out, though nobody has taken note of its end."""
    process = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Procfs(LARGE).one(boot_ns(), process.pid) == []
    process.wait()
    assert Procfs(LARGE).one(boot_ns(), process.pid) == []


def test_sample_is_everybody_then_the_end(child: Start, model: Path) -> None:
    """Given processes that come and go, then the look is complete and says so, with the number it found."""
    pid = child("read", model)
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            subprocess.run(["/bin/true"], check=True)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    events: list[Event] = list(Procfs(LARGE).sample(at := boot_ns()))
    stop.set()
    thread.join()
    found = [one for one in events if isinstance(one, ProcessFound)]
    assert {os.getpid(), pid} <= {one.pid for one in found}
    assert events[-1] == Resynced(at, len(found))
    assert [one.path for one in events if isinstance(one, FileFound) and one.pid == pid] == [str(model)]
    assert [one.pid for one in found] == sorted(one.pid for one in found)


def test_we_and_our_children_are_left_out(child: Start, model: Path) -> None:
    """What our own helpers hold open is no use of a model."""
    pid = child("read", model)
    events = list(Procfs(LARGE, frozenset({os.getpid()})).sample(boot_ns()))
    assert not {os.getpid(), pid} & {one.pid for one in events if isinstance(one, ProcessFound | FileFound)}


def fake(root: Path, **files: bytes) -> Path:
    """A /proc with one process, whole but for what `files` replaces."""
    folder = root / "7"
    (folder / "ns").mkdir(parents=True)
    (folder / "fd").mkdir()
    whole = {"stat": b"7 (x) S 1 " + b"0 " * 17 + b"500 0 0", "cmdline": b"x\0", "status": b"Name:\tx\nUid:\t5 5\n"}
    for name, content in {**whole, "maps": b"", "ns/mnt": b"", "ns/pid": b"", **files}.items():
        (folder / name).write_bytes(content)
    (root / "self").mkdir()
    return root


def test_fake_process_is_whole(tmp_path: Path) -> None:
    """The tests below do not pass because the fake lacks something else."""
    process, _ = Procfs(LARGE, root=fake(tmp_path)).sample(1)
    assert isinstance(process, ProcessFound)
    assert (process.start_ns, process.parent_pid, process.uid, process.path) == (500 * TICK_NS, 1, 5, None)


@pytest.mark.parametrize(
    "damaged",
    [
        {"stat": b""},
        {"stat": b"7 (x"},
        {"stat": b"7 (x) S a b c"},
        {"status": b""},
        {"status": b"Uid:"},
        {"status": b"Uid:\tx"},
        {"maps": b"x y z a 1 /m/a.gguf\n"},
    ],
    ids=repr,
)
def test_damaged_files_are_a_process_that_is_gone(tmp_path: Path, damaged: dict[str, bytes]) -> None:
    """A process of which /proc makes no sense is left out, and the look still comes to its end."""
    assert list(Procfs(LARGE, root=fake(tmp_path, **damaged)).sample(1)) == [Resynced(1, 0)]


def test_start_of_nobody() -> None:
    """A process that is gone has no start."""
    process = subprocess.Popen(["/bin/sleep", "60"])
    process.send_signal(signal.SIGKILL)
    process.wait()
    with pytest.raises(OSError, match=str(process.pid)):
        start_of(process.pid)
