"""A stage for tests of what processes hold: real holders of files, and one look at them by the iterators."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.watch import LARGE_BYTES, Watch

from modelwarden.probes.candidate import library_head
from modelwarden.probes.clock import boot_ns
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.sampled.procfs import FileFound, Procfs
from modelwarden.probes.sampled.running import Running

LIBRARIES = ("libonnxruntime.so", "libtorch_cpu.so")
"""What the kernel side is told of, by tests that are about libraries."""
HOLDER = Path(__file__).with_name("holder.py")


@contextmanager
def holding(kernel: Kernel) -> Iterator["Stage"]:
    """A stage whose processes are visible to the kernel side, and let go in the end."""
    kernel.watch(os.getpid(), 0, watched=False)
    stage = Stage(kernel, Watch(kernel), [])
    stage.watch.drain()
    stage.watch.events.clear()
    yield stage
    for process in stage.running:
        process.communicate()


@dataclass
class Stage:
    """Processes that hold files, and a look at them."""

    kernel: Kernel
    watch: Watch
    running: list[subprocess.Popen[bytes]]

    def hold(self, way: str, *paths: Path | str, before: tuple[str, ...] = (), passing: tuple[int, ...] = ()) -> int:
        """Starts a process that holds files in one way; its number."""
        ours, theirs = socket.socketpair()
        words = [*before, sys.executable, "-S", str(HOLDER), way, *map(str, paths)]
        process = subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE)
        theirs.close()
        process.stdin = ours.makefile("wb", buffering=0)  # closed at the end, which lets it go
        for descriptor in passing:
            socket.send_fds(ours, [b"x"], [descriptor])
        ours.close()
        self.running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process.pid

    def look(self) -> list[Event]:
        """One look at the whole system, none of it by /proc."""
        running = Running(self.kernel, Procfs(LARGE_BYTES, libraries=frozenset(map(library_head, LIBRARIES))))
        events = list(running.sample(boot_ns()))
        assert running.problem is None
        return events

    def held(self, pid: int) -> list[FileFound]:
        """What a process was found to hold."""
        return [one for one in self.look() if isinstance(one, FileFound) and one.pid == pid]

    def opened(self, pid: int) -> list[FileOpened]:
        """What it was seen to open."""
        return [one for one in self.watch.of(FileOpened) if one.pid == pid]


def identity(event: FileFound | FileOpened) -> tuple[object, ...]:
    """What makes a file that file, in its state, where it lies."""
    return event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns, event.path
