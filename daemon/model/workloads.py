"""The table of workloads: what a human means by "an AI thing is running"."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.model.files import FileKey, ModelFile
from modelwarden.daemon.model.memory import Memory
from modelwarden.daemon.model.processes import Process, Processes, ProcessKey

LIMIT = 4_096
WHY_MAX = 16
MODELS_MAX = 256
ENDED_MAX = 8
"""Processes that ended and are still shown."""

_INTERPRETERS = ("python", "pypy", "node", "ruby", "perl", "java", "bun", "deno")
_WITH_VALUE = {"-X", "-W"}
"""Options of python whose value is a word of its own."""


@dataclass(slots=True)
class Workload:
    """One workload; it outlives its processes, so that a script run twenty times is one line of the census."""

    id: str
    uid: int
    exe: str | None
    first_seen_ns: int
    """Wall clock."""
    last_seen_ns: int
    why: list[str] = field(default_factory=list)
    living: dict[ProcessKey, Process] = field(default_factory=dict)
    ended: OrderedDict[ProcessKey, Process] = field(default_factory=OrderedDict)
    models: OrderedDict[FileKey, ModelFile] = field(default_factory=OrderedDict)
    identities: dict[FileKey, Identity | None] = field(default_factory=dict)
    """What each of the models was when it was read last."""
    earlier_models: tuple[dict[str, object], ...] = ()
    """Documents of what an earlier run of the daemon saw with it."""

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


class Workloads:
    """At most `LIMIT` workloads; the one seen longest ago that does not run leaves first, and is counted."""

    def __init__(self, memory: Memory, limit: int = LIMIT) -> None:
        self._memory = memory
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
        """The workload of a process that has read weights: its own, an ancestor's, or a new one."""
        known = [process.workload, *(one.workload for one in processes.lineage(process))]
        workload = next((found for one in known if one and (found := self._table.get(one))), None)
        if workload is None:
            workload_id = self._identify(process)
            workload = self._table.get(workload_id)
        if workload is None:
            workload = Workload(workload_id, process.uid, process.path, wall_ns, wall_ns)
            self._memory.restore_workload(workload)
            self._add(workload)
        if process.key not in workload.living:
            self.join(process, workload)
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

    def _identify(self, process: Process) -> str:
        """The same user, program and script give the same workload, also after a restart of either side."""
        what = "\0".join(
            [self.host_id, str(process.uid), process.path or f"?{process.pid}:{process.start_ns}", script_of(process)]
        )
        return "w-" + hashlib.sha256(what.encode(errors="surrogateescape")).hexdigest()[:12]


def script_of(process: Process) -> str:
    """What an interpreter runs: the script, the module, or the fact that it was given on the command line."""
    name = PurePosixPath(process.path or "").name
    if not name.startswith(_INTERPRETERS):
        return ""
    words = iter(process.arguments[1:])
    for word in words:
        if word in {"-m", "-jar"}:
            return f"{word} {next(words, '')}"
        if word in {"-c", "-e"}:
            return word
        if word in _WITH_VALUE:
            next(words, "")
        elif not word.startswith("-"):
            return word
    return ""
