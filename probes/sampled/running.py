"""What runs and what it holds, told by the kernel's iterators; read from /proc what the kernel has none for."""

import os
from collections.abc import Iterable, Iterator

from modelwarden.probes.event import Event
from modelwarden.probes.iterator import run_iterator
from modelwarden.probes.kernel.mapped import MappingHeld
from modelwarden.probes.kernel.running import FileHeld, ProcessRunning
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.sampled.procfs import FileFound, ProcessFound, Procfs, Resynced
from modelwarden.probes.wire import ARGUMENT_BYTES_MAX, decode_arguments

HELD_BACK_MAX = 4_096
"""Processes that wait for a parent with a higher number; further ones come before it."""
TOLD_MAX = 65_536
"""Files of processes that are known to have been told; behind them one may be told twice."""

Held = tuple[int, int, int, int, int, int, bool]
"""Who holds which file in which state: on btrfs two files may have one inode number, each in its subvolume."""


class Running:
    """A `Source` with the events of `Procfs`, and the same question about one process.

    Parents come before their children, processes before their files. The kernel leaves out what it knows to be ours.
    """

    def __init__(self, kernel: Kernel, procfs: Procfs) -> None:
        self._programs = {function: descriptor for _, function, descriptor in kernel.programs}
        self._procfs = procfs
        self.problem: str | None = None
        """Why the last look was read from /proc, though the kernel had taken the iterators."""

    def sample(self, at: int) -> Iterator[Event]:
        """Every process with its candidate files, then `Resynced`."""
        self.problem = None
        if "task" in self._programs:
            try:
                yield from self._by_iterators(at)
            except OSError as error:
                self.problem = str(error)
            else:
                return
        yield from self._procfs.sample(at)

    def one(self, at: int, pid: int) -> list[Event]:
        """A single process with its candidate files; empty when it is gone."""
        return self._procfs.one(at, pid)

    def _by_iterators(self, at: int) -> Iterator[Event]:
        seen: set[int] = set()
        events = run_iterator(self._programs["task"])
        for process in parents_first(one for one in events if isinstance(one, ProcessRunning)):
            if process.pid in seen:  # two threads of a process whose first one has ended
                continue
            arguments = _arguments(process)
            if arguments is not None:
                seen.add(process.pid)
                yield _process_found(at, process, arguments)
        told: set[Held] = set()
        yield from _once(told, self._held(at, "task_file"))
        if "task_vma" in self._programs:
            yield from _once(told, self._held(at, "task_vma"))
        else:
            for pid in seen:
                yield from _once(told, self._procfs.mapped(at, pid))
        yield Resynced(at, len(seen))

    def _held(self, at: int, function: str) -> Iterator[FileFound]:
        for one in run_iterator(self._programs[function]):
            if isinstance(one, FileHeld | MappingHeld):
                yield _file_found(at, one, mapped=isinstance(one, MappingHeld))


def parents_first(processes: Iterable[ProcessRunning]) -> Iterator[ProcessRunning]:
    """Processes in the order of their numbers, but none before its parent: numbers begin anew one day."""
    waiting: dict[int, list[ProcessRunning]] = {}
    held_back: set[int] = set()
    for process in processes:
        to_come = process.parent_pid > process.pid or process.parent_pid in held_back
        if to_come and len(held_back) < HELD_BACK_MAX:
            waiting.setdefault(process.parent_pid, []).append(process)
            held_back.add(process.pid)
            continue
        next_ones = [process]
        while next_ones:
            one = next_ones.pop()
            yield one
            held_back.discard(one.pid)
            next_ones += waiting.pop(one.pid, ())
    for orphans in waiting.values():  # their parents ended meanwhile
        yield from orphans


def _once(told: set[Held], files: Iterable[FileFound]) -> Iterator[FileFound]:
    """Each file of a process once, and once more when it is open for writing only, which must not hide a reading."""
    for one in files:
        key = (one.pid, one.device, one.inode, one.size, one.mtime_ns, one.ctime_ns, one.writable)
        if key in told:
            continue
        if len(told) < TOLD_MAX:
            told.add(key)
        yield one


def _process_found(at: int, process: ProcessRunning, arguments: tuple[str, ...]) -> ProcessFound:
    path = f"…{process.path}" if process.path_cut else process.path
    return ProcessFound(
        at=at,
        pid=process.pid,
        start_ns=process.start_ns,
        parent_pid=process.parent_pid,
        uid=process.uid,
        login_uid=process.login_uid,
        mount_ns=process.mount_ns,
        pid_ns=process.pid_ns,
        path=None if path == "/" else path,
        arguments=arguments,
        cgroup=process.cgroup,
    )


def _file_found(at: int, held: FileHeld | MappingHeld, *, mapped: bool) -> FileFound:
    return FileFound(
        at=at,
        pid=held.pid,
        start_ns=held.start_ns,
        device=held.device,
        inode=held.inode,
        size=held.size,
        mtime_ns=held.mtime_ns,
        ctime_ns=held.ctime_ns,
        path=f"…{held.path}" if held.path_cut else held.path,
        reasons=held.reasons,
        mapped=mapped,
        writable=not mapped and held.open_flags & os.O_ACCMODE == os.O_WRONLY,
    )


def _arguments(process: ProcessRunning) -> tuple[str, ...] | None:
    """`None` when the process has ended. Its number may be another's by now: then the end of this one is on its way."""
    try:
        # The whole path of the thread: a process is no longer readable by its own when its first thread has ended.
        descriptor = os.open(f"/proc/{process.pid}/task/{process.tid}/cmdline", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return decode_arguments(os.read(descriptor, ARGUMENT_BYTES_MAX))
    except OSError:
        return None
    finally:
        os.close(descriptor)
