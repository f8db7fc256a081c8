"""Applies each event to the tables; says what happened that rules may care about, and what must be asked."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from modelwarden.daemon.command import Command, FindProcess, InspectFile, NameUser, RememberFile, Resync, WatchProcess
from modelwarden.daemon.event import (
    FileIdentity,
    FileInspected,
    Inspection,
    PolicyLoaded,
    Remembered,
    Started,
    UserNamed,
)
from modelwarden.daemon.model.files import Files, ModelFile, Standing
from modelwarden.daemon.model.memory import Memory
from modelwarden.daemon.model.processes import Process, Processes, marked_path
from modelwarden.daemon.model.workloads import Workload, Workloads
from modelwarden.daemon.policy import Policy
from modelwarden.probes.candidate import NAMED, Candidate
from modelwarden.probes.event import Event, EventsLost
from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.kernel.exit import ProcessExited
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel.fork import ProcessForked
from modelwarden.probes.sampled.opens import OpensCounted
from modelwarden.probes.sampled.procfs import NOBODY, FileFound, ProcessFound, Resynced
from modelwarden.probes.sampled.tick import Tick

WATCHED_MIN_BYTES = 1 << 20
"""From this size on a file without any sign in its name is inspected when a watched process reads it."""
USERS_MAX = 4_096
ASK_AGAIN_NS = 60 * 1_000_000_000
"""A file that could not be inspected is asked about again at an open after this."""
RESYNC_INTERVAL_NS = 30 * 1_000_000_000
"""After a loss the system is looked at again, but not more often than this."""


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """A process of a workload has read a model (or, at a change of policy, is known to have)."""

    at: int
    workload: Workload
    process: Process
    model: ModelFile
    count: int
    """Opens that this stands for; 0 when nothing new was opened."""
    first: bool
    """The first time that this workload is seen with this model."""


Outcome = tuple[list[ModelUsed], list[Command]]
"""What happened that rules may care about, and what to ask the shell."""


@dataclass(slots=True)
class World:
    """All that is known. `apply` is the only way in."""

    processes: Processes = field(default_factory=Processes)
    files: Files = field(default_factory=Files)
    memory: Memory = field(default_factory=Memory)
    workloads: Workloads = field(init=False)
    users: dict[int, str | None] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    policy_digest: str = "none"
    host_id: str = ""
    wall_offset_ns: int = 0
    synced: bool = False
    """The first look at the running system is complete."""
    opens: Counter[str] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    changed_workloads: set[str] = field(default_factory=set)
    changed_models: dict[tuple[int, int], ModelFile] = field(default_factory=dict)
    _resync_at: int = 0
    _resync_wanted: bool = False
    _handlers: dict[type[Event], Callable[[Any], Outcome | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Who handles which fact: a new fact is a line here and a method below."""
        self.workloads = Workloads(self.memory)
        self._handlers = {
            Started: self._started,
            Remembered: self._remembered,
            PolicyLoaded: self._policy_loaded,
            UserNamed: self._user_named,
            ProcessFound: self._process_found,
            FileFound: self._file_found,
            Resynced: self._resynced,
            ProcessForked: self._forked,
            ProcessExecuted: self._executed,
            ProcessExited: self._exited,
            FileOpened: self._opened,
            OpensCounted: self._counted,
            FileInspected: self._inspected,
            EventsLost: self._lost,
            Tick: self._tick,
        }

    def _remembered(self, event: Remembered) -> None:
        self.memory.recall(event)

    def apply(self, event: Event) -> Outcome:
        """What happened, and what to ask the shell. `TypeError` for an event that nobody knows."""
        handle = self._handlers.get(type(event))
        if handle is None:
            raise TypeError(f"no one knows what to do with {type(event).__name__}")
        used, commands = handle(event) or ([], [])
        while self.processes.strangers:
            commands.append(FindProcess(self.processes.strangers.pop()))
        return used, commands

    def wall_ns(self, at: int) -> int:
        """The wall-clock time of an `at`, nanoseconds since 1970 UTC."""
        return at + self.wall_offset_ns

    def _started(self, event: Started) -> None:
        self.host_id = self.workloads.host_id = event.host_id
        self.wall_offset_ns = event.wall_offset_ns

    def _policy_loaded(self, event: PolicyLoaded) -> Outcome:
        """Everything that runs is judged again under the new policy."""
        self.policy, self.policy_digest = event.policy, event.digest
        running = [workload for workload in self.workloads.all() if workload.running]
        return [
            ModelUsed(event.at, workload, next(iter(workload.living.values())), model, 0, first=False)
            for workload in running
            for model in workload.models.values()
        ], []

    def _user_named(self, event: UserNamed) -> None:
        self.users[event.uid] = event.name
        self.changed_workloads |= {one.id for one in self.workloads.all() if one.uid == event.uid}

    def _lost(self, event: EventsLost) -> None:
        self.lost[event.place, event.probe] += event.count
        self._resync_wanted = True

    def _process_found(self, event: ProcessFound) -> None:
        parent = self.processes.by_pid(event.parent_pid) if event.parent_pid else None
        self.processes.found(event, parent)

    def _resynced(self, event: Resynced) -> None:
        self.synced = True
        for process in self.processes.missing(event.at):
            self._end(event.at, process)

    def _executed(self, event: ProcessExecuted) -> None:
        self.processes.executed(event)

    def _exited(self, event: ProcessExited) -> None:
        process = self.processes.get(event.pid, event.start_ns)
        if process is not None:
            self._end(event.at, process)

    def _forked(self, event: ProcessForked) -> None:
        child = self.processes.forked(event)
        if child.workload and (workload := self.workloads.get(child.workload)):
            self.workloads.join(child, workload)
            self.changed_workloads.add(workload.id)

    def _end(self, at: int, process: Process) -> None:
        if not self.processes.end(process, at):
            return
        if workload := self.workloads.leave(process):
            workload.last_seen_ns = self.wall_ns(at)
            self.changed_workloads.add(workload.id)

    def _opened(self, event: FileOpened) -> Outcome:
        process = self.processes.actor(event)
        if event.open_flags & os.O_ACCMODE == os.O_WRONLY:
            return [], []
        if not event.reasons & NAMED and event.size < WATCHED_MIN_BYTES:
            return [], []
        file = FileIdentity(event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns)
        return self._read(event.at, process, file, marked_path(event.path, event.path_cut), event.reasons)

    def _file_found(self, event: FileFound) -> Outcome:
        process = self.processes.get(event.pid, event.start_ns)
        if process is None or event.writable:
            return [], []
        file = FileIdentity(event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns)
        known = self.files.get(event.device, event.inode)
        workload = self.workloads.get(process.workload or "")
        has_read = workload is not None and known is not None and known.key in workload.models
        if known and known.file == file and (has_read or known.awaits(process)):
            return [], []  # an open that was reported when it happened
        return self._read(event.at, process, file, event.path, event.reasons)

    def _read(self, at: int, process: Process, file: FileIdentity, path: str, reasons: int) -> Outcome:
        """A process reads a candidate."""
        if self.files.is_no_model(file):
            return [], [RememberFile(file, is_model=False)]
        entry = self._entry(at, file, path)
        entry.strong |= bool(reasons & Candidate.STRONG_SUFFIX)
        entry.add_path(path)
        self.files.touch(entry)
        commands: list[Command] = []
        if entry.standing is not Standing.MODEL and at >= entry.ask_at:
            entry.ask_at = at + ASK_AGAIN_NS
            commands += [*self._names(process), InspectFile(file, path, self._ways(process))]
        if entry.standing is Standing.PENDING:
            entry.wait(process, at, 1)
            return [], commands
        used, more = self._use(at, process, entry, 1)
        return [used], [*commands, *more]

    def _entry(self, at: int, file: FileIdentity, path: str) -> ModelFile:
        """The entry of a file, with its state brought up to date."""
        entry = self.files.get(file.device, file.inode)
        if entry is None or not (entry.file == file or entry.continues_as(file, path)):
            wall_ns = self.wall_ns(at)
            entry = ModelFile(file, path, [path], wall_ns, wall_ns)
            self.memory.restore_model(entry)
        elif entry.file != file:
            entry.file, entry.standing, entry.ask_at = file, Standing.PENDING, 0
        return entry

    def _ways(self, process: Process) -> tuple[int, ...]:
        """Processes through whose eyes the path means the same file."""
        near = [process, *self.processes.lineage(process)]
        return tuple(one.pid for one in near if one.ended_at is None and one.mount_ns == process.mount_ns)

    def _use(self, at: int, process: Process, entry: ModelFile, count: int) -> tuple[ModelUsed, list[Command]]:
        wall_ns = self.wall_ns(at)
        entry.opens += count
        entry.last_seen_ns = max(entry.last_seen_ns, wall_ns)
        self.opens[entry.identity.format if entry.identity else "unknown"] += count
        stranger = process.workload is None
        workload = self.workloads.of(process, self.processes, wall_ns)
        workload.last_seen_ns = max(workload.last_seen_ns, wall_ns)
        first = entry.key not in workload.models
        workload.models[entry.key] = entry
        workload.explain(f"weights read: {(entry.identity and entry.identity.name) or entry.path}")
        self.changed_workloads.add(workload.id)
        self.changed_models[entry.key] = entry
        commands: list[Command] = []
        if stranger and process.ended_at is None:
            commands.append(WatchProcess(process.pid, process.start_ns, watched=True))
        commands += self._names(process)
        return ModelUsed(at, workload, process, entry, count, first), commands

    def _names(self, process: Process) -> list[NameUser]:
        """Asks for the names of users that are new."""
        unknown = {process.uid, process.login_uid} - self.users.keys() - {NOBODY}
        asked = [NameUser(uid) for uid in unknown][: USERS_MAX - len(self.users)]
        self.users.update((one.uid, None) for one in asked)
        return asked

    def _counted(self, event: OpensCounted) -> Outcome | None:
        entry = self.files.get(event.device, event.inode)
        process = self.processes.get(event.pid, event.start_ns)
        if event.access == os.O_WRONLY or entry is None or process is None or entry.file.ctime_ns != event.ctime_ns:
            return None
        if entry.standing is Standing.PENDING:
            entry.wait(process, event.at, event.count)
            return None
        used, commands = self._use(event.at, process, entry, event.count)
        return [used], commands

    def _inspected(self, event: FileInspected) -> Outcome:
        before = self.files.get(event.file.device, event.file.inode)
        waiting = before.waiting if before and before.file == event.file else []
        entry = self.files.settle(event)
        commands: list[Command] = []
        if event.outcome in {Inspection.MODEL, Inspection.NOT_A_MODEL}:
            commands.append(RememberFile(event.file, is_model=event.outcome is Inspection.MODEL))
        if entry is None:
            commands += [
                WatchProcess(one.process.pid, one.process.start_ns, watched=False)
                for one in waiting
                if before and before.strong and not one.process.workload and one.process.ended_at is None
            ]
            return [], commands
        if holders := {one.id for one in self.workloads.all() if entry.key in one.models}:
            self.changed_models[entry.key] = entry
            self.changed_workloads |= holders
        entry.waiting, used = [], []
        entry.opens += entry.unattributed
        entry.unattributed = 0
        for one in waiting:
            fact, more = self._use(one.at, one.process, entry, one.count)
            used.append(fact)
            commands += more
        return used, commands

    def _tick(self, event: Tick) -> Outcome | None:
        self.wall_offset_ns = event.wall_offset_ns
        self.processes.expire(event.at)
        if self._resync_wanted and event.at - self._resync_at > RESYNC_INTERVAL_NS:
            self._resync_wanted, self._resync_at = False, event.at
            return [], [Resync("events were lost")]
        return None
