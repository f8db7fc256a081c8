"""The probe file_change: each way to rename, link, remove or truncate what matters, exactly once."""

import ctypes
import errno
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.calls import AT_FDCWD, IoUring, Narrow, call
from tests.kernel.changing import begin, changes, forget, is_by_fentry, text, told
from tests.kernel.watch import Watch, by_each_hook

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.kernel.file_change import PROBE, Change
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.sampled.procfs import start_of

pytestmark = pytest.mark.bpf

MakeFile = Callable[..., Path]
TIMES = 23
REMOVE_DIRECTORY, EXCHANGE = 0x200, 2
NOBODY = 65534
IO_URING_UNLINKAT = 36


kernel = by_each_hook(PROBE)


@pytest.fixture
def watch(kernel: Kernel) -> Watch:
    """What happens from now on; the test's own process is visible, and not marked."""
    return begin(kernel)


def truncated_by_descriptor(_folder: int, old: Path, _new: Path) -> None:
    """ftruncate; the open alone changes nothing."""
    descriptor = os.open(old, os.O_WRONLY)
    call(77, descriptor, ctypes.c_long(50))
    os.close(descriptor)


WAYS: dict[str, tuple[Change, Callable[[int, Path, Path], object]]] = {
    "rename": (Change.RENAME, lambda _, old, new: call(82, text(old), text(new))),
    "renameat": (Change.RENAME, lambda folder, old, new: call(264, folder, text(old.name), folder, text(new.name))),
    "renameat2": (Change.RENAME, lambda folder, old, new: call(316, folder, text(old.name), folder, text(new.name), 0)),
    "link": (Change.LINK, lambda _, old, new: call(86, text(old), text(new))),
    "linkat": (Change.LINK, lambda folder, old, new: call(265, folder, text(old.name), AT_FDCWD, text(new), 0)),
    "symlink": (Change.SYMLINK, lambda _, old, new: call(88, text(old), text(new))),
    "symlinkat": (Change.SYMLINK, lambda folder, old, new: call(266, text(old), folder, text(new.name))),
    "unlink": (Change.UNLINK, lambda _, old, _new: call(87, text(old))),
    "unlinkat": (Change.UNLINK, lambda folder, old, _new: call(263, folder, text(old.name), 0)),
    "truncate": (Change.TRUNCATE, lambda _, old, _new: call(76, text(old), ctypes.c_long(50))),
    "ftruncate": (Change.TRUNCATE, truncated_by_descriptor),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_each_time(watch: Watch, make_file: MakeFile, tmp_path: Path, way: str) -> None:
    """So many changes are so many events, each with its names."""
    change, make = WAYS[way]
    olds = [make_file(f"{number}.gguf") for number in range(TIMES)]
    news = [tmp_path / f"{number}.safetensors" for number in range(TIMES)]
    forget(watch)
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)

    for old, new in zip(olds, news, strict=True):
        make(folder, old, new)
    os.close(folder)

    has_two = change not in {Change.UNLINK, Change.TRUNCATE}
    expected = [
        (change, new.name if has_two else old.name, old.name if has_two else "")
        for old, new in zip(olds, news, strict=True)
    ]
    assert told(watch, tmp_path) == expected
    assert {one.reasons for one in changes(watch, tmp_path)} == {Candidate.STRONG_SUFFIX}
    assert watch.lost() == 0


def test_says_who(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """A change carries process, thread, start, users and namespaces as /proc shows them."""
    path = make_file("who.gguf", 0)
    forget(watch)
    thread = threading.Thread(target=path.unlink)

    thread.start()
    thread.join()

    [event] = changes(watch, tmp_path)
    assert (event.pid, event.tid) == (os.getpid(), thread.native_id)
    assert event.start_ns // TICK_NS == start_of(os.getpid()) // TICK_NS
    assert (event.uid, event.login_uid) == (os.getuid(), int(Path("/proc/self/loginuid").read_text()))
    assert event.mount_ns == Path("/proc/self/ns/mnt").stat().st_ino
    assert event.pid_ns == Path("/proc/self/ns/pid").stat().st_ino


def test_which_file(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """By fentry a change names the file as it was before, and the one that it replaces; a system call neither."""
    old, new = make_file("old.gguf", 100), make_file("new.gguf", 200)
    before, replaced = old.stat(), new.stat()
    forget(watch)

    old.rename(new)

    [event] = changes(watch, tmp_path)
    found = (event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns)
    if is_by_fentry(watch):
        assert found == (before.st_dev, before.st_ino, 100, before.st_mtime_ns, before.st_ctime_ns)
        assert (event.other_device, event.other_inode) == (replaced.st_dev, replaced.st_ino)
    else:
        assert (*found, event.other_device, event.other_inode) == (0,) * 7


def test_which_file_a_descriptor_led_to(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """What ftruncate changes is identified by every hook: by fentry as it was before, else as it is afterwards."""
    path = make_file("holiday.gguf", 100)
    before = path.stat()
    forget(watch)

    truncated_by_descriptor(0, path, path)

    [event] = changes(watch, tmp_path)
    told_of, after = before if is_by_fentry(watch) else path.stat(), path.stat()
    found = (event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns)
    assert found == (told_of.st_dev, told_of.st_ino, told_of.st_size, told_of.st_mtime_ns, told_of.st_ctime_ns)
    assert (before.st_size, after.st_size) == (100, 50)
    assert (event.action, event.reasons) == (Change.TRUNCATE, Candidate.STRONG_SUFFIX)


@pytest.mark.parametrize("side", ["changed", "replaced"])
def test_a_known_model_matters_whatever_it_is_called(
    watch: Watch, make_file: MakeFile, tmp_path: Path, side: str
) -> None:
    """By fentry the inspector's verdict is enough, on either side of a rename; a system call tells names only."""
    old, new = make_file("holiday"), make_file("party")
    facts = (old if side == "changed" else new).stat()
    watch.kernel.remember(facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns, is_model=True)

    old.rename(new)

    reasons = [event.reasons for event in changes(watch, tmp_path)]
    assert reasons == ([Candidate.KNOWN_MODEL] if is_by_fentry(watch) else [])


def test_names_without_a_suffix_go_to_user_space(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """Where the kernel knows no file, a change of what may be called like a model is reported; else it is not."""
    for name in ("weights.bin", "sha256-" + "a" * 64, "holiday.txt"):
        make_file(name).unlink()

    found = {(one.path.rpartition("/")[2][:7], one.reasons) for one in changes(watch, tmp_path) if one.action == 5}
    by_name = {("weights", Candidate.WEAK_SUFFIX), ("sha256-", Candidate.CONTENT_ADDRESSED)}
    assert found == (set() if is_by_fentry(watch) else by_name)


@pytest.mark.parametrize("which", ["ld.so.preload", "preload"])
def test_over_a_named_file(watch: Watch, make_file: MakeFile, tmp_path: Path, which: str) -> None:
    """A rename over what a policy names is reported, whichever of the two names it is; of other files it is not."""
    old, new = make_file("preload.new"), tmp_path / which

    old.rename(new)
    new.rename(old)

    expected = [(Change.RENAME, which, "preload.new"), (Change.RENAME, "preload.new", which)]
    is_named = which == "ld.so.preload"
    assert told(watch, tmp_path) == (expected if is_named else [])
    assert {one.reasons for one in changes(watch, tmp_path)} == ({Candidate.NAMED_FILE} if is_named else set())


def test_files_that_change_names(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """An exchange is one event, and says so."""
    make_file("one.gguf", 0)
    make_file("two", 0)
    forget(watch)

    call(316, AT_FDCWD, text(tmp_path / "one.gguf"), AT_FDCWD, text(tmp_path / "two"), EXCHANGE)

    assert told(watch, tmp_path) == [(Change.EXCHANGE, "two", "one.gguf")]


def test_what_fails_is_silent(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """No file, no right, a directory in the way: nothing has changed."""
    path = make_file("a.gguf", 0)
    folder = tmp_path / "folder.gguf"
    folder.mkdir()
    (folder / "b.txt").touch()
    forget(watch)
    for refused in (
        (tmp_path / "none.gguf").unlink,
        lambda: (tmp_path / "none.gguf").rename(path),
        lambda: path.rename(folder),
        folder.unlink,
        folder.rmdir,
        lambda: path.symlink_to("x"),
        lambda: os.truncate(tmp_path / "none.gguf", 0),
    ):
        with pytest.raises(OSError, match="Errno"):
            refused()
    tmp_path.chmod(0o755)
    code = (
        f"import os, sys; os.setgid({NOBODY}); os.setuid({NOBODY}); os.chdir(sys.argv[1])\n"
        "for refused in (lambda: os.unlink('a.gguf'), lambda: os.rename('a.gguf', 'b.gguf'),\n"
        "                lambda: os.symlink('x', 'c.gguf'), lambda: os.link('a.gguf', 'd.gguf'),\n"
        "                lambda: os.truncate('a.gguf', 1)):\n"
        "    try:\n        refused()\n    except PermissionError:\n        continue\n    sys.exit('it was allowed')\n"
    )
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)  # folders above may be closed to nobody
    subprocess.run([sys.executable, "-S", "-c", code, f"/proc/self/fd/{descriptor}"], check=True, pass_fds=[descriptor])
    os.close(descriptor)

    assert told(watch, tmp_path) == []


def test_directories_are_no_files(watch: Watch, tmp_path: Path) -> None:
    """A folder that is called like a model is removed in silence; by fentry it is renamed so too."""
    folder = tmp_path / "folder.gguf"
    folder.mkdir()
    if is_by_fentry(watch):
        folder = folder.rename(tmp_path / "other.gguf")
    folder.rmdir()
    folder.mkdir()
    call(263, AT_FDCWD, text(folder), REMOVE_DIRECTORY)

    assert told(watch, tmp_path) == []


def test_what_a_watched_process_does(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """Of a marked process every change is reported, of ours none."""
    paths = [make_file(f"{number}.txt", 0) for number in range(2)]
    forget(watch)

    watch.kernel.watch(os.getpid(), start_of(os.getpid()), watched=True)
    paths[0].unlink()
    watch.kernel.ignore(os.getpid(), start_of(os.getpid()))
    paths[1].unlink()
    watch.kernel.watch(os.getpid(), 0, watched=False)

    assert told(watch, tmp_path) == [(Change.UNLINK, "0.txt", "")]
    assert {one.reasons for one in changes(watch, tmp_path)} == {Candidate.WATCHED}


def test_an_open_that_empties(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """O_TRUNC is a truncation of the file as it was; a system call tells of it as of an open only."""
    path = make_file("a.gguf", 100)
    forget(watch)

    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))

    assert [one.size for one in changes(watch, tmp_path)] == ([100] if is_by_fentry(watch) else [])


def test_io_uring(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """No system call tells of what io_uring changes; by fentry it is seen."""
    try:
        ring = IoUring()
    except OSError as error:
        pytest.skip(f"no io_uring: {error}")
    paths = [make_file(f"{number}.gguf", 0) for number in range(TIMES)]
    forget(watch)

    for path in paths:
        name = ctypes.create_string_buffer(os.fsencode(path))
        try:
            ring.run(struct.pack("<BBHiQQII", IO_URING_UNLINKAT, 0, 0, AT_FDCWD, 0, ctypes.addressof(name), 0, 0))
        except OSError as error:
            assert error.errno == errno.EINVAL, "it is there since 5.11"  # noqa: PT017
            pytest.skip("this kernel's io_uring removes nothing")
    ring.close()

    expected = [(Change.UNLINK, path.name, "") for path in paths]
    assert told(watch, tmp_path) == (expected if is_by_fentry(watch) else [])


def test_32_bit_calls(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """Calls as 32-bit programs make them have other numbers and registers, and are seen by every hook."""
    try:
        narrow = Narrow()
    except OSError as error:
        pytest.skip(str(error))
    paths = [make_file(f"{number}.gguf", 0) for number in range(TIMES)]
    forget(watch)

    for path in paths:
        narrow.call(10, narrow.text(path))  # unlink

    assert told(watch, tmp_path) == [(Change.UNLINK, path.name, "") for path in paths]
