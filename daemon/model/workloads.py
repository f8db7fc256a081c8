"""The table of workloads: what a human means by "an AI thing is running"."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

from modelwarden.daemon.identify.runtimes.reading.command_line import script_of
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.model.families import Families, Family
from modelwarden.daemon.model.files import FileKey, ModelFile
from modelwarden.daemon.model.groups import Groups
from modelwarden.daemon.model.memory import Memory
from modelwarden.daemon.model.processes import Process, Processes, ProcessKey

LIMIT = 4_096
WHY_MAX = 16
MODELS_MAX = 256
ENDED_MAX = 8
"""Processes that ended and are still shown."""


@dataclass(slots=True)
class Workload:
    """One workload; it outlives its processes, so that a script run twenty times is one line of the census."""

    id: str
    head: Process
    """The first process of it that was known: whose user, place and namespaces it has."""
    uid: int
    exe: str | None
    first_seen_ns: int
    """Wall clock."""
    last_seen_ns: int
    why: list[str] = field(default_factory=list)
    family: Family | None = None
    """The runtime of one of its processes, the most specific one."""
    living: dict[ProcessKey, Process] = field(default_factory=dict)
    ended: OrderedDict[ProcessKey, Process] = field(default_factory=OrderedDict)
    models: OrderedDict[FileKey, ModelFile] = field(default_factory=OrderedDict)
    identities: dict[FileKey, Identity | None] = field(default_factory=dict)
    """What each of the models was when it was read last."""
    earlier_models: tuple[dict[str, object], ...] = ()
    """Documents of what an earlier run of the daemon saw with it."""

    @property
    def runtime(self) -> str | None:
        """The runtime's name, `None` for a program of no known one."""
        return self.family.runtime if self.family else None

    @property
    def running(self) -> bool:
        """Whether one of its processes lives, as far as known."""
        return any(process.ended_at is None for process in self.living.values())

    def latest(self) -> Process | None:
        """A process that speaks for it: one that lives, else the one that ended last."""
        return next(iter(self.living.values()), None) or next(reversed(self.ended.values()), None)

    def uses(self, entry: ModelFile) -> bool:
        """Notes that a process of it has read a model; whether that is new.

        Another file under the same number is new, and so is a file that became another model.
        """
        first = self.models.get(entry.key) is not entry or self.identities[entry.key] != entry.identity
        self.models[entry.key], self.identities[entry.key] = entry, entry.identity
        self.models.move_to_end(entry.key)
        if len(self.models) > MODELS_MAX:
            leaving, _ = self.models.popitem(last=False)
            del self.identities[leaving]
        return first

    def explain(self, reason: str) -> None:
        """Adds one reason for which this is a workload."""
        if reason not in self.why and len(self.why) < WHY_MAX:
            self.why.append(reason)

    def belongs_to(self, family: Family | None) -> None:
        """Takes in what runtime a process of it belongs to."""
        if family is None:
            return
        self.explain(f"runtime: {family.recognition.evidence}")
        if self.family is None or family.recognition.strength > self.family.recognition.strength:
            self.family = family


class Workloads:
    """At most `LIMIT` workloads; the one seen longest ago that does not run leaves first, and is counted."""

    def __init__(self, memory: Memory, families: Families, groups: Groups, limit: int = LIMIT) -> None:
        self._memory = memory
        self._families = families
        self._groups = groups
        self._limit = limit
        self._table: dict[str, Workload] = {}
        self.host_id = ""
        self.evicted = 0

    def get(self, workload_id: str) -> Workload | None:
        """A workload by its identifier."""
        return self._table.get(workload_id)

    def all(self) -> list[Workload]:
        """All that are known."""
        return list(self._table.values())

    def of(self, process: Process, processes: Processes, wall_ns: int) -> Workload:
        """The workload of a process that does AI: its own, an ancestor's, or a new one."""
        own = self._table.get(process.workload) if process.workload else None
        if own is not None and process.key in own.living:
            return own
        workload = own or self._inherited(process, processes)
        if workload is None:
            head = self._families.head(process)
            workload_id = self._identify(head)
            workload = self._table.get(workload_id)
            if workload is None:
                workload = Workload(workload_id, head, head.uid, head.path, wall_ns, wall_ns)
                self._memory.restore_workload(workload)
                self._add(workload)
            if head.workload is None:
                self.join(head, workload)
                workload.belongs_to(self._families.of(head))
        if process.key not in workload.living:
            self.join(process, workload)
            workload.belongs_to(self._families.of(process))
        return workload

    def _inherited(self, process: Process, processes: Processes) -> Workload | None:
        """The workload of the nearest ancestor that has one, unless the process is a thing of its own there."""
        for one in processes.lineage(process):
            workload = self._table.get(one.workload) if one.workload else None
            if workload is not None and not self._is_another(process, workload):
                return workload
        return None

    def _is_another(self, process: Process, workload: Workload) -> bool:
        """Whether a process below a workload is a thing of its own: another program's runtime, another container."""
        family = self._families.of(process)
        if family is not None and family.is_specific and workload.runtime not in {None, family.runtime}:
            return True
        return self._groups.container_of(workload.head) != self._groups.container_of(process)

    def executed(self, process: Process) -> Workload | None:
        """A process became another program: its workload, unless by that it has become a thing of its own."""
        workload = self._table.get(process.workload) if process.workload else None
        if workload is not None and self._is_another(process, workload):
            workload.living.pop(process.key, None)
            process.workload = None
        elif workload is not None:
            workload.belongs_to(self._families.of(process))
        return workload

    def join(self, process: Process, workload: Workload) -> None:
        """Counts a process to a workload."""
        process.workload = workload.id
        if process.ended_at is None:
            workload.living[process.key] = process
        else:
            self._show_ended(process, workload)

    def leave(self, process: Process) -> Workload | None:
        """A process ended; its workload, if it had one."""
        workload = self._table.get(process.workload) if process.workload else None
        if workload is not None and workload.living.pop(process.key, None) is not None:
            self._show_ended(process, workload)
        return workload

    def _add(self, workload: Workload) -> None:
        self._table[workload.id] = workload
        if len(self._table) > self._limit:
            others = (one for one in self._table.values() if one is not workload)
            leaving = min(others, key=lambda one: (one.running, one.last_seen_ns))
            for process in leaving.living.values():
                process.workload = None
            del self._table[leaving.id]
            self.evicted += 1

    def _show_ended(self, process: Process, workload: Workload) -> None:
        workload.ended[process.key] = process
        if len(workload.ended) > ENDED_MAX:
            workload.ended.popitem(last=False)

    def _identify(self, head: Process) -> str:
        """The same container, or the same user, program, script and service, give the same workload after a restart."""
        if (owned := self._groups.container_of(head)) is not None:
            container, uid = owned
            return _identifier(self.host_id, container.engine, container.id, str(uid))
        program = head.path or f"?{head.pid}:{head.start_ns}"
        return program_workload(self.host_id, head.uid, program, head.arguments, self._groups.of(head).unit)


def program_workload(host_id: str, uid: int, program: str, arguments: tuple[str, ...], unit: str | None) -> str:
    """The identifier of a workload that is no container."""
    script = script_of(arguments, program.rpartition("/")[2])
    service = unit if unit is not None and unit.endswith(".service") else ""
    return _identifier(host_id, str(uid), program, script, service)


def _identifier(host_id: str, *what: str) -> str:
    text = "\0".join([host_id, *what])
    return "w-" + hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]
