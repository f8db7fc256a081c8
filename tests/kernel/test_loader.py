"""The loader: the cheapest hook that the system allows, everything gone at the end, clear words when it cannot."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.kernel.watch import LARGE_BYTES, Watch, hooks_of, load_or_skip
from tests.rights import AS_NOBODY

from modelwarden.probes import registry
from modelwarden.probes.btf import Btf
from modelwarden.probes.hooks import blindness
from modelwarden.probes.kernel.file_open import PROBE as FILE_OPEN
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.libbpf import library
from modelwarden.probes.probe import HookKind
from modelwarden.probes.registry import PROBES

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


def test_takes_the_cheapest_hook_that_sees_everything() -> None:
    """Fentry where the kernel takes it; else the tracepoints, unless 32-bit calls would pass them."""
    kernel = load_or_skip({})
    states = {state.name: state for state in kernel.states}
    kernel.close()

    taken = hooks_of(FILE_OPEN)
    types = Btf()
    complete = [hook.kind for hook in FILE_OPEN.hooks if hook.kind in taken and not blindness(hook, types)]
    types.close()
    assert states["file_open"].hook is complete[0]
    assert (states["file_open"].reason is None) == (complete[0] is HookKind.FENTRY)
    for name in ("exec", "exit", "fork"):
        assert (states[name].hook, states[name].reason) == (HookKind.RAW_TRACEPOINT, None)


def test_without_tracefs_it_says_so(tmp_path: Path) -> None:
    """A hook that needs tracefs is passed over, with the reason and what to do."""
    done = load_under("umount -q /sys/kernel/tracing /sys/kernel/debug; true")

    [line] = [line for line in done.stdout.splitlines() if line.startswith("file_open")]
    if HookKind.FENTRY in hooks_of(FILE_OPEN):
        assert line.split("|")[1:] == ["fentry", "None", "None"]
    else:
        assert line.split("|")[1] == "raw_tracepoint"


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
    """A state says why each cheaper hook was not taken."""
    [state] = [state for state in watch.kernel.states if state.name == "file_open"]

    kinds = [hook.kind for hook in FILE_OPEN.hooks]
    cheaper = kinds[: kinds.index(HookKind(state.hook or ""))]
    assert [part.partition(": ")[0] for part in (state.reason or "").split("; ") if "left out" in part] == cheaper


def test_no_hook_at_all_leaves_the_others_alone(make_file: Callable[..., Path]) -> None:
    """A probe that cannot attach is off, by name; the rest goes on."""
    kernel: Kernel = load_or_skip({FILE_OPEN.key(hook): "no" for hook in FILE_OPEN.hooks})
    watch = Watch(kernel)
    make_file("x.gguf").read_bytes()
    states = {state.name: state.hook for state in kernel.states}
    seen = watch.of(FileOpened)
    kernel.close()

    assert states["file_open"] is None
    assert states["exec"] is HookKind.RAW_TRACEPOINT
    assert seen == []


def test_a_hook_without_its_optional_part_is_kept(
    make_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one program of a hook would have seen is named as unseen; the others go on."""
    [raw] = [hook for hook in FILE_OPEN.hooks if hook.kind is HookKind.RAW_TRACEPOINT]
    broken = tuple(replace(one, needs=("io_kiocb", "nothing")) if one.lacking else one for one in raw.programs)
    probes = [replace(one, hooks=(replace(raw, programs=broken),)) if one is FILE_OPEN else one for one in PROBES]
    monkeypatch.setattr(registry, "PROBES", tuple(probes))

    kernel = load_or_skip({})
    watch = Watch(kernel)
    path = make_file("x.gguf")
    kernel.watch(os.getpid(), 0, watched=False)
    path.read_bytes()
    [state] = [state for state in kernel.states if state.name == "file_open"]
    seen = watch.opens(path)
    kernel.close()

    assert state.reason == "an open through io_uring is not seen: the kernel's io_kiocb has no nothing"
    assert len(seen) == 1
