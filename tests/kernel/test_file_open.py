"""The probe file_open: each way to open a file, each reason to report it, exactly once."""

import ctypes
import os
import random
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.watch import LARGE_BYTES, Watch

from modelwarden.probes.candidate import STRONG_SUFFIXES, WEAK_SUFFIXES, Candidate, candidate
from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.sampled.procfs import start_of
from modelwarden.probes.wire import COMPONENTS_MAX, PATH_BYTES_MAX

pytestmark = pytest.mark.bpf

MakeFile = Callable[..., Path]
SYSCALLS = {"open": 2, "creat": 85, "openat": 257, "openat2": 437}


def read(path: str | bytes | Path, flags: int = os.O_RDONLY) -> None:
    """Opens and closes."""
    os.close(os.open(path, flags))


def in_child(code: str, *arguments: str) -> int:
    """Runs Python code in a fresh process; its number."""
    child = subprocess.Popen([sys.executable, "-S", "-c", code, *arguments])
    assert child.wait(timeout=60) == 0
    return child.pid


def test_one_report_and_the_rest_counted(watch: Watch, make_file: MakeFile) -> None:
    """1,009 opens of one file by one process are one event and 1,008 counted."""
    path = make_file("a.gguf")

    for _ in range(1009):
        read(path)

    assert len(watch.opens(path)) == 1
    assert [one.count for one in watch.repetitions() if one.inode == path.stat().st_ino] == [1008]
    assert watch.repetitions() == []
    assert watch.lost() == 0


def test_every_distinct_file_is_reported_once(watch: Watch, make_file: MakeFile) -> None:
    """211 files opened once each are 211 events with 211 paths and identities."""
    paths = [make_file(f"{number}.safetensors", 100 + number) for number in range(211)]

    for path in paths:
        read(path)

    found = {event.path: event for event in watch.of(FileOpened) if event.path.startswith(str(paths[0].parent))}
    assert len(found) == 211
    for path in paths:
        event, facts = found[str(path)], path.stat()
        assert (event.device, event.inode, event.size) == (facts.st_dev, facts.st_ino, facts.st_size)
        assert (event.mtime_ns, event.ctime_ns) == (facts.st_mtime_ns, facts.st_ctime_ns)


def test_says_who(watch: Watch, make_file: MakeFile) -> None:
    """An open carries process, thread, start, users and namespaces as /proc shows them."""
    path = make_file("who.gguf")
    thread = threading.Thread(target=read, args=(path,))

    thread.start()
    thread.join()

    [event] = watch.opens(path)
    assert event.pid == os.getpid()
    assert event.tid == thread.native_id
    assert event.start_ns // TICK_NS == start_of(os.getpid()) // TICK_NS
    assert event.uid == os.getuid()
    assert event.login_uid == int(Path("/proc/self/loginuid").read_text())
    assert event.mount_ns == Path("/proc/self/ns/mnt").stat().st_ino
    assert event.pid_ns == Path("/proc/self/ns/pid").stat().st_ino
    assert event.open_flags & os.O_ACCMODE == os.O_RDONLY


@pytest.mark.parametrize("name", SYSCALLS)
def test_each_syscall(watch: Watch, make_file: MakeFile, name: str) -> None:
    """open, creat, openat and openat2 are all opens."""
    path = make_file("way.gguf")
    libc = ctypes.CDLL(None, use_errno=True)
    raw = os.fsencode(path)
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
    arguments = {
        "open": (raw, os.O_RDONLY, 0),
        "creat": (raw, 0o600),
        "openat": (-100, raw, os.O_RDONLY, 0),
        "openat2": (-100, raw, ctypes.byref(how), ctypes.sizeof(how)),
    }

    descriptor = libc.syscall(SYSCALLS[name], *arguments[name])
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    os.close(descriptor)

    [event] = watch.opens(path)
    assert event.open_flags & os.O_ACCMODE == (os.O_WRONLY if name == "creat" else os.O_RDONLY)


def test_the_kernel_and_python_agree_on_candidates(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """For 2,003 names and sizes the kernel's filter says exactly what `candidate` says."""
    rng = random.Random(11)
    suffixes = [*sorted(STRONG_SUFFIXES | WEAK_SUFFIXES), "txt", "so", "ggufx", "gg", "safetensorsafetens", ""]
    stems = [
        "m",
        "model.v1",
        "a" * 40,
        "F" * 64,
        "sha256-" + "0" * 64,
        "g" * 64,
        "sha256-" + "0" * 63 + "x",
        "é",
        "a b\n",
    ]
    expected: dict[int, Candidate] = {}
    for number in range(2003):
        stem = rng.choice(stems)
        suffix = rng.choice(suffixes)
        suffix = "".join(rng.choice((c.lower(), c.upper())) for c in suffix)
        name = rng.choice((f"{stem}.{suffix}", stem, f".{suffix}x", f"{stem}.{suffix}.", rng.randbytes(20).hex()))
        size = rng.choice((0, 31, 32, 100, LARGE_BYTES - 1, LARGE_BYTES))
        folder = tmp_path / str(number)
        folder.mkdir()
        path = make_file(name, size, folder)
        expected[path.stat().st_ino] = candidate(name, size, LARGE_BYTES)
        read(path)

    got = Counter(
        {
            event.inode: event.reasons
            for event in watch.of(FileOpened)
            if event.inode in expected and event.pid == os.getpid()
        }
    )
    differ = {
        inode: (wanted, got[inode]) for inode, wanted in expected.items() if got[inode] & ~Candidate.WATCHED != wanted
    }
    assert differ == {}


@pytest.mark.parametrize("what", ["directory", "fifo", "device", "path_only", "missing"])
def test_what_is_no_open_of_a_file(watch: Watch, tmp_path: Path, what: str) -> None:
    """Directories, FIFOs, devices, O_PATH and failed opens with the name of a model are silent."""
    path = tmp_path / "trap.gguf"
    flags = os.O_RDONLY | os.O_NONBLOCK
    match what:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "device":
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        case "path_only":
            os.mknod(path)
            flags = os.O_PATH
        case "missing":
            with pytest.raises(FileNotFoundError):
                read(path)
    if what != "missing":
        read(path, flags)

    assert watch.opens(path) == []


@pytest.mark.parametrize(
    "name",
    [b"two\nlines.gguf", b"\x1b[2J.gguf", b"\xff\xfe.gguf", b"x" * 250 + b".gguf", b" .gguf", "模型.gguf".encode()],
)
def test_hostile_names_arrive_as_they_are(watch: Watch, tmp_path: Path, name: bytes) -> None:
    """Whatever bytes a name has, it can be opened again by what was reported."""
    path = os.fsencode(tmp_path) + b"/" + name
    os.mknod(path)

    read(path)

    [event] = [event for event in watch.of(FileOpened) if event.path == os.fsdecode(path)]
    assert Path(event.path).exists()


def test_a_path_deeper_than_the_walk_is_cut(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """Beyond 64 components the path keeps its end and says that it is cut."""
    deep = tmp_path.joinpath(*["d"] * 70)
    deep.mkdir(parents=True)
    path = make_file("deep.gguf", 100, deep)

    read(path)

    [event] = [event for event in watch.of(FileOpened) if event.path.endswith("/deep.gguf")]
    assert event.path_cut == 1
    assert event.path == "/d" * (COMPONENTS_MAX - 1) + "/deep.gguf"


def test_a_path_longer_than_the_buffer_is_cut(watch: Watch, tmp_path: Path) -> None:
    """Beyond 4,096 bytes the path keeps its end and says that it is cut."""
    before = os.open(".", os.O_RDONLY)
    os.chdir(tmp_path)
    try:
        for _ in range(20):
            Path("n" * 250).mkdir()
            os.chdir("n" * 250)
        os.mknod("long.gguf")
        read("long.gguf")
    finally:
        os.fchdir(before)
        os.close(before)

    event = next(event for event in watch.of(FileOpened) if event.path.endswith("/long.gguf"))
    assert event.path_cut == 1
    assert PATH_BYTES_MAX - 256 < len(event.path) <= PATH_BYTES_MAX
    assert set(event.path.split("/")[1:-1]) == {"n" * 250}


def test_the_path_is_that_of_the_mount_namespace(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """A file under a bind mount in a namespace of its own is named as that namespace names it."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    path = make_file("bound.gguf", 100, source)

    subprocess.run(
        ["/usr/bin/unshare", "-m", "/bin/sh", "-c", f"mount --bind {source} {target} && cat {target}/bound.gguf"],
        check=True,
    )

    [event] = [event for event in watch.of(FileOpened) if event.inode == path.stat().st_ino]
    assert event.path == str(target / "bound.gguf")
    assert event.mount_ns != Path("/proc/self/ns/mnt").stat().st_ino


def test_links_lead_to_the_file(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """A symbolic link reports its target, a hard link the name that was used; both the same inode."""
    blob = make_file("b" * 64)
    (tmp_path / "model.safetensors").symlink_to(blob)
    (tmp_path / "hard.gguf").hardlink_to(blob)

    in_child("import sys; open(sys.argv[1])", str(tmp_path / "model.safetensors"))
    in_child("import sys; open(sys.argv[1])", str(tmp_path / "hard.gguf"))

    found = {(event.path, event.inode) for event in watch.of(FileOpened) if event.inode == blob.stat().st_ino}
    assert found == {(str(blob), blob.stat().st_ino), (str(tmp_path / "hard.gguf"), blob.stat().st_ino)}


def test_a_changed_file_is_reported_again(watch: Watch, make_file: MakeFile) -> None:
    """After a write the next open is no repetition, for another content was read."""
    path = make_file("again.gguf")
    read(path)
    os.truncate(path, 200)
    read(path)
    read(path)

    assert [event.size for event in watch.opens(path)] == [100, 200]


def test_reading_and_writing_are_not_repetitions_of_each_other(watch: Watch, make_file: MakeFile) -> None:
    """Each kind of access is reported for itself."""
    path = make_file("both.gguf")
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDONLY):
        read(path, flags)

    assert [event.open_flags & os.O_ACCMODE for event in watch.opens(path)] == [os.O_RDONLY, os.O_WRONLY, os.O_RDWR]


def test_what_is_known_to_be_no_model_is_silent(watch: Watch, make_file: MakeFile) -> None:
    """The inspector's verdict silences this state of the file, for everybody who is not watched."""
    path = make_file("cache.bin", LARGE_BYTES)
    facts = path.stat()
    watch.kernel.remember(facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns, is_model=False)

    in_child("import sys; open(sys.argv[1])", str(path))
    silent = watch.opens(path)
    os.truncate(path, LARGE_BYTES + 1)
    in_child("import sys; open(sys.argv[1])", str(path))

    assert silent == []
    assert len(watch.opens(path)) == 1


def test_a_known_model_is_reported_whatever_it_is_called(watch: Watch, make_file: MakeFile) -> None:
    """Renamed weights stay weights: the verdict belongs to the file, not to its name."""
    path = make_file("weights.gguf")
    renamed = path.rename(path.parent / "holiday.gguf")
    facts = renamed.stat()
    watch.kernel.remember(facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns, is_model=True)

    in_child("import sys; open(sys.argv[1])", str(renamed))

    [event] = watch.opens(renamed)
    assert event.reasons & Candidate.KNOWN_MODEL
