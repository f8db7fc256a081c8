"""What tests of the probe file_change ask of the kernel side: the changes below their folder."""

import os
import subprocess
import sys
from pathlib import Path

from tests.kernel.watch import Watch

from modelwarden.probes.kernel.file_change import PROBE, Change, FileChanged
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.probe import HookKind


def begin(kernel: Kernel) -> Watch:
    """What happens from now on; this process is visible, and not marked."""
    kernel.watch(os.getpid(), 0, watched=False)
    watch = Watch(kernel)
    watch.lost()
    forget(watch)
    return watch


def forget(watch: Watch) -> None:
    """Begins anew: to make the files was a change too."""
    watch.drain()
    watch.events.clear()


def changes(watch: Watch, below: Path) -> list[FileChanged]:
    """The reported changes of names below a folder."""
    return [one for one in watch.of(FileChanged) if one.path.startswith(f"{below}/")]


def told(watch: Watch, below: Path) -> list[tuple[Change, str, str]]:
    """What they say: change, name afterwards, name before; both names below the folder."""
    return [
        (Change(one.action), one.path.removeprefix(f"{below}/"), one.source.removeprefix(f"{below}/"))
        for one in changes(watch, below)
    ]


def is_by_fentry(watch: Watch) -> bool:
    """Whether the files themselves are seen, not only the arguments of calls."""
    [hook] = [state.hook for state in watch.kernel.states if state.name == PROBE.name]
    return hook is HookKind.FENTRY


def in_child(code: str, *arguments: str) -> None:
    """Runs Python code in a fresh process."""
    subprocess.run([sys.executable, "-S", "-c", code, *arguments], check=True, timeout=60)


def text(path: str | Path) -> bytes:
    """A path as a system call wants it."""
    return os.fsencode(path)
