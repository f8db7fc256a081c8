"""Marks on processes: set in the kernel at the instant of an open, passed on, confirmed, and gone in time."""

import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.watch import Watch

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.sampled.procfs import start_of

pytestmark = pytest.mark.bpf

MakeFile = Callable[..., Path]
READ_BOTH = "import sys; [open(path).close() for path in sys.argv[1:]]"


def python(code: str, *arguments: Path) -> None:
    """Runs Python code in a fresh process."""
    subprocess.run([sys.executable, "-S", "-c", code, *arguments], check=True)


def test_what_comes_behind_weights_is_seen(watch: Watch, make_file: MakeFile) -> None:
    """After weights, the same process's next open is reported, however small and dull the file is."""
    weights, other = make_file("w.gguf"), make_file("notes.txt", 3)

    python(READ_BOTH, weights, other)

    [event] = watch.opens(other)
    assert event.reasons == Candidate.WATCHED


def test_what_comes_before_weights_is_not(watch: Watch, make_file: MakeFile) -> None:
    """Nothing is reported of a process that has not touched a model."""
    weights, other = make_file("w.gguf"), make_file("notes.txt", 3)

    python(READ_BOTH, other, weights)

    assert watch.opens(other) == []


@pytest.mark.parametrize(("name", "size"), [("x.bin", 1000), ("big", 32 << 20), ("a" * 64, 100)])
def test_weak_reasons_mark_nobody(watch: Watch, make_file: MakeFile, name: str, size: int) -> None:
    """A merely large or vaguely named file is looked into, but its reader is not watched."""
    weights, other = make_file(name, size), make_file("notes.txt", 3)

    python(READ_BOTH, weights, other)

    assert len(watch.opens(weights)) == 1
    assert watch.opens(other) == []


def test_writing_weights_marks_nobody(watch: Watch, tmp_path: Path, make_file: MakeFile) -> None:
    """Who only writes a model, such as a download, has not read one."""
    other = make_file("notes.txt", 3)
    code = "import sys; open(sys.argv[1], 'wb').close(); open(sys.argv[2]).close()"

    python(code, tmp_path / "new.gguf", other)

    assert watch.opens(other) == []


def test_fork_passes_the_mark_on(watch: Watch, make_file: MakeFile) -> None:
    """A child of a marked process is watched from its first instruction."""
    weights, other = make_file("w.gguf"), make_file("notes.txt", 3)
    code = "import os, sys; open(sys.argv[1]).close(); os.fork() or open(sys.argv[2]).close(); os._exit(0)"

    child = subprocess.Popen([sys.executable, "-S", "-c", code, weights, other])
    child.wait()
    # The grandchild may still be at it, and it is not ours to wait for.
    end = time.monotonic() + 10
    while not watch.opens(other) and time.monotonic() < end:
        time.sleep(0.01)

    [event] = watch.opens(other)
    assert event.pid != child.pid


def test_a_provisional_mark_ends_at_exec(watch: Watch, make_file: MakeFile) -> None:
    """Another program is another matter, as long as nobody has confirmed the mark."""
    weights, other = make_file("w.gguf"), make_file("notes.txt", 3)
    code = "import os, sys; open(sys.argv[1]).close(); os.execv('/bin/cat', ['cat', sys.argv[2]])"

    python(code, weights, other)

    assert watch.opens(other) == []


def test_a_confirmed_mark_is_carried_through_exec(watch: Watch, make_file: MakeFile) -> None:
    """What a confirmed workload becomes is still watched."""
    other = make_file("notes.txt", 3)
    child = subprocess.Popen(["/bin/sh", "-c", f"read line; exec /bin/cat {other}"], stdin=subprocess.PIPE)
    watch.kernel.watch(child.pid, start_of(child.pid), watched=True)
    child.communicate(b"\n")

    [event] = watch.opens(other)
    assert event.pid == child.pid
    assert event.reasons == Candidate.WATCHED


def test_a_mark_belongs_to_one_process_not_to_its_number(watch: Watch, make_file: MakeFile) -> None:
    """A mark with another start is somebody else's."""
    other = make_file("notes.txt", 3)
    child = subprocess.Popen(["/bin/sh", "-c", f"read line; exec /bin/cat {other}"], stdin=subprocess.PIPE)
    watch.kernel.watch(child.pid, start_of(child.pid) - 10_000_000_000, watched=True)
    child.communicate(b"\n")

    assert watch.opens(other) == []


def test_the_end_of_a_process_removes_its_mark(watch: Watch, make_file: MakeFile) -> None:
    """Marks do not pile up."""
    child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
    watch.kernel.watch(child.pid, start_of(child.pid), watched=True)
    key = child.pid.to_bytes(4, "little")
    before = watch.kernel.maps["marks"].lookup(key)
    child.communicate()

    assert before is not None
    assert watch.kernel.maps["marks"].lookup(key) is None


def test_an_unconfirmed_mark_expires(watch: Watch, make_file: MakeFile) -> None:
    """Nobody stays watched by mistake: the mark has an end, and behind it there is none."""
    other = make_file("notes.txt", 3)
    child = subprocess.Popen(["/bin/sh", "-c", f"read line; exec /bin/cat {other}"], stdin=subprocess.PIPE)
    expired = struct.pack(
        "<QQQ", start_of(child.pid), 1, 1
    )  # start, until the first nanosecond of the boot, provisional
    watch.kernel.maps["marks"].update(child.pid.to_bytes(4, "little"), expired)
    child.communicate(b"\n")

    assert watch.opens(other) == []


def test_we_and_our_children_are_invisible(watch: Watch, make_file: MakeFile) -> None:
    """The daemon and whatever it starts cause no events, by no probe."""
    weights = make_file("w.gguf")
    watch.kernel.ignore(os.getpid(), start_of(os.getpid()))
    try:
        python(READ_BOTH, weights)
        weights.read_bytes()
    finally:
        watch.kernel.watch(os.getpid(), 0, watched=False)

    assert watch.opens(weights) == []
    assert [event for event in watch.of(ProcessExecuted) if event.parent_pid == os.getpid()] == []


def test_a_device_number_is_that_of_stat(watch: Watch, tmp_path: Path) -> None:
    """Also where the minor number does not fit eight bits, as on a file system without a device."""
    folder = tmp_path / "tmpfs"
    folder.mkdir()
    file = f"{folder}/t.gguf"
    script = f"mount -t tmpfs none {folder} && truncate -s 9 {file} && stat -c %d {file} && cat {file}"
    shown = subprocess.run(["/usr/bin/unshare", "-m", "/bin/sh", "-c", script], check=True, capture_output=True)

    found = [event for event in watch.opens(folder / "t.gguf") if not stat.S_ISDIR(event.open_flags)]
    assert {event.device for event in found} == {int(shown.stdout.split(b"\n")[0])}
