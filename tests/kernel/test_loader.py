"""The loader: the cheapest hook that the system allows, everything gone at the end, clear words when it cannot."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.watch import LARGE_BYTES, Watch, load_or_skip
from tests.rights import AS_NOBODY

from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.libbpf import library
from modelwarden.probes.loader import Kernel
from modelwarden.probes.probe import HookKind

pytestmark = pytest.mark.bpf

LOAD = f"""
import sys
from modelwarden.probes.loader import ProbesUnavailableError, load
try:
    kernel = load({LARGE_BYTES})
except ProbesUnavailableError as error:
    print(error)
    sys.exit(2)
for state in kernel.states:
    print(state.name, state.hook, state.reason, state.next_step, sep="|")
sys.stdout.flush()
sys.stdin.read()
"""


def programs() -> set[int]:
    """The identifiers of all BPF programs in the kernel."""
    found, number = set(), ctypes.c_uint32(0)
    while library().bpf_prog_get_next_id(number, ctypes.byref(number)) == 0:
        found.add(number.value)
    return found


def are_gone(wanted: set[int]) -> bool:
    """Whether the programs leave the kernel; it frees them a grace period after their last user."""
    end = time.monotonic() + 10
    while programs() & wanted and time.monotonic() < end:
        time.sleep(0.01)
    return not programs() & wanted


def load_under(script: str) -> subprocess.CompletedProcess[str]:
    """Loads in a mount namespace of its own that a script has changed."""
    command = f"{script} && exec {sys.executable} -c '{LOAD}'"
    return subprocess.run(
        ["/usr/bin/unshare", "-m", "/bin/sh", "-c", command],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def test_takes_the_cheapest_hook() -> None:
    """Where tracefs is mounted, opens are seen by their own tracepoints and nothing is said to be degraded."""
    kernel = load_or_skip({})
    states = {state.name: state for state in kernel.states}
    kernel.close()

    assert {state.reason for state in states.values()} == {None}
    assert states["file_open"].hook is HookKind.TRACEPOINT
    assert {name for name, state in states.items() if state.hook is HookKind.RAW_TRACEPOINT} == {"exec", "exit", "fork"}


def test_without_tracefs_the_raw_tracepoint_sees_the_same(tmp_path: Path) -> None:
    """The fallback works, and says why it was taken and what to do."""
    done = load_under("umount -q /sys/kernel/tracing /sys/kernel/debug; true")

    [line] = [line for line in done.stdout.splitlines() if line.startswith("file_open")]
    assert line.split("|")[1] == "raw_tracepoint"
    assert "tracefs is not mounted" in line
    assert "mount -t tracefs" in line


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("mount --bind /dev/null /sys/kernel/btf/vmlinux", ("BTF", "CONFIG_DEBUG_INFO_BTF")),
        ("mount -t tmpfs none /usr/lib/python3/dist-packages/bcc", ("bcc", "doctor")),
    ],
    ids=["no BTF", "no bcc"],
)
def test_says_what_is_missing(script: str, words: tuple[str, ...]) -> None:
    """One line names the thing and the next step; there is no traceback."""
    done = load_under(script)

    assert done.returncode == 2, done.stderr
    assert done.stderr == ""
    assert all(word in done.stdout for word in words), done.stdout


def test_without_root_it_says_so(tmp_path: Path) -> None:
    """Somebody without rights is told to use sudo."""
    done = subprocess.run(
        [*AS_NOBODY, sys.executable, "-c", LOAD], check=False, capture_output=True, text=True, cwd="/"
    )

    assert (done.returncode, done.stderr) == (2, "")
    assert "sudo" in done.stdout


def test_closing_leaves_nothing_behind(make_file: Callable[..., Path]) -> None:
    """After the end no program of ours is in the kernel, and no descriptor is open."""
    load_or_skip({}).close()  # libraries that stay loaded are loaded now
    before, descriptors = programs(), {entry.name for entry in Path("/proc/self/fd").iterdir()}

    kernel = load_or_skip({})
    during = programs() - before
    kernel.close()

    assert len(during) >= 4
    assert are_gone(during)
    assert {entry.name for entry in Path("/proc/self/fd").iterdir()} == descriptors


def test_a_killed_daemon_leaves_nothing_behind() -> None:
    """The kernel detaches when the last descriptor is gone: kill -9 needs no cleaning up."""
    before = programs()
    daemon = subprocess.Popen([sys.executable, "-c", LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    daemon.stdout.readline()
    during = programs() - before
    daemon.send_signal(signal.SIGKILL)
    daemon.communicate()

    assert len(during) >= 4
    assert are_gone(during)


def test_an_excluded_hook_is_named(watch: Watch) -> None:
    """A state says why a cheaper hook was not taken, and only then."""
    [state] = [state for state in watch.kernel.states if state.name == "file_open"]

    if state.hook is HookKind.RAW_TRACEPOINT:
        assert state.reason == "tracepoint: left out by the test"
    else:
        assert state.reason is None


def test_no_hook_at_all_leaves_the_others_alone(make_file: Callable[..., Path]) -> None:
    """A probe that cannot attach is off, by name; the rest goes on."""
    refused = {"file_open_tracepoint": "no", "file_open_raw_tracepoint": "not at all"}
    kernel: Kernel = load_or_skip(refused)
    watch = Watch(kernel)
    make_file("x.gguf").read_bytes()
    states = {state.name: state.hook for state in kernel.states}
    seen = watch.of(FileOpened)
    kernel.close()

    assert states["file_open"] is None
    assert states["exec"] is HookKind.RAW_TRACEPOINT
    assert seen == []
