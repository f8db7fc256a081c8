"""The table of processes: who is who, who made whom, what each runs."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.kernel.fork import ProcessForked
from modelwarden.probes.sampled.procfs import NOBODY, ProcessFound

LIMIT = 32_768
RETENTION_NS = 60 * 1_000_000_000
"""How long a process that ended stays known: answers about its files may still be under way."""
LINEAGE_MAX = 16

ProcessKey = tuple[int, int]
"""(pid, start in clock ticks): procfs knows the start no better, so both sides are compared at that grain."""


def process_key(pid: int, start_ns: int) -> ProcessKey:
    """The identity of a process, the same from the kernel's records and from /proc."""
    return pid, start_ns // TICK_NS


@dataclass(slots=True)
class Process:
    """One process, as far as events have told."""

    pid: int
    start_ns: int
    parent: ProcessKey | None
    uid: int
    login_uid: int
    mount_ns: int
    path: str | None = None
    """The executable as its mount namespace has it."""
    arguments: tuple[str, ...] = ()
    ended_at: int | None = None
    workload: str | None = None
    found_at: int = 0
    """The last look at /proc that showed it."""
    cgroup: int = 0
    """Identifier in the cgroup v2 hierarchy, 0 when it is not known."""
    pid_ns: int = 0
    libraries: frozenset[str] = frozenset()
    """File names of the libraries that it has opened which do machine learning."""
    family: object = None
    """What `Families` found, for the state that `family_stamp` tells."""
    family_stamp: object = None

    @property
    def key(self) -> ProcessKey:
        """Its identity."""
        return process_key(self.pid, self.start_ns)


class Processes:
    """At most `LIMIT` processes; those that ended longest ago leave first, and are counted."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._table: dict[ProcessKey, Process] = {}
        self._numbers: dict[int, ProcessKey] = {}
        self._ended: deque[ProcessKey] = deque()
        self.evicted = 0
        self.strangers: list[int] = []
        """Processes that appeared without a fork: the pipeline asks the system about them."""

    def __len__(self) -> int:
        return len(self._table)

    def get(self, pid: int, start_ns: int) -> Process | None:
        """The process, dead or alive, `None` when no event told of it."""
        return self._table.get(process_key(pid, start_ns))

    def actor(self, event: TaskEvent) -> Process:
        """The process that caused an event; a stranger becomes known by it, and is asked about."""
        process = self.get(event.pid, event.start_ns)
        if process is None:
            process = Process(event.pid, event.start_ns, None, event.uid, event.login_uid, event.mount_ns)
            process.cgroup, process.pid_ns = event.cgroup, event.pid_ns
            self._add(process)
            self.strangers.append(event.pid)
        else:
            process.uid, process.login_uid = event.uid, event.login_uid
            process.mount_ns, process.pid_ns = event.mount_ns, event.pid_ns
            process.cgroup = event.cgroup
        return process

    def forked(self, event: ProcessForked) -> Process:
        """A child, so far a copy of its parent."""
        parent = self.actor(event)
        child = Process(
            pid=event.child_pid,
            start_ns=event.child_start_ns,
            parent=parent.key,
            uid=event.uid,
            login_uid=event.login_uid,
            mount_ns=event.mount_ns,
            path=parent.path,
            arguments=parent.arguments,
            workload=parent.workload,
            cgroup=event.cgroup,
            pid_ns=event.pid_ns,
            libraries=parent.libraries,
        )
        self._add(child)
        return child

    def executed(self, event: ProcessExecuted) -> Process:
        """The process with its new program."""
        process = self.actor(event)
        process.parent = process_key(event.parent_pid, event.parent_start_ns)
        process.path, process.arguments = marked_path(event.path, event.path_cut), event.arguments
        process.libraries = frozenset()
        return process

    def end(self, process: Process, at: int) -> bool:
        """Notes the end of a process; false when it was told before."""
        if process.ended_at is not None:
            return False
        process.ended_at = at
        self._ended.append(process.key)
        return True

    def found(self, event: ProcessFound, parent: ProcessKey | None) -> Process:
        """A process that /proc showed; what events told of it is younger and stays."""
        process = self.get(event.pid, event.start_ns)
        if process is None:
            process = Process(event.pid, event.start_ns, parent, event.uid, event.login_uid, event.mount_ns)
            self._add(process)
        if process.path is None:
            process.path, process.arguments = event.path, event.arguments
        if process.parent is None:
            process.parent = parent
        if not process.cgroup:
            process.cgroup, process.pid_ns = event.cgroup, event.pid_ns
        process.found_at = event.at
        return process

    def missing(self, at: int) -> list[Process]:
        """Those that a look at /proc begun at `at` should have shown and did not: their end was lost."""
        return [one for one in self._table.values() if one.ended_at is None and max(one.start_ns, one.found_at) < at]

    def by_pid(self, pid: int) -> ProcessKey | None:
        """The process that was given a number last: /proc names parents by number only."""
        return self._numbers.get(pid)

    def lineage(self, process: Process) -> Iterator[Process]:
        """Its ancestors, nearest first, as far as known."""
        for _ in range(LINEAGE_MAX):
            parent = self._table.get(process.parent) if process.parent else None
            if parent is None or parent is process:
                return
            yield parent
            process = parent

    def expire(self, at: int) -> None:
        """Lets go of those that ended long ago."""
        while self._ended:
            process = self._table.get(self._ended[0])
            if process is not None and process.ended_at is not None and at - process.ended_at < RETENTION_NS:
                return
            self._remove(self._ended.popleft())

    def _add(self, process: Process) -> None:
        self._table[process.key] = process
        self._numbers[process.pid] = process.key
        while len(self._table) > self._limit:
            oldest = self._ended.popleft() if self._ended else next(iter(self._table))
            leaving = self._table.get(oldest)
            if leaving is not None and leaving.ended_at is None:
                leaving.ended_at = leaving.start_ns  # nobody would learn of its end any more
            self.evicted += self._remove(oldest)

    def _remove(self, key: ProcessKey) -> bool:
        if self._numbers.get(key[0]) == key:
            del self._numbers[key[0]]
        return self._table.pop(key, None) is not None


def marked_path(path: str, cut: int) -> str:
    """A path whose beginning the kernel could not walk says so."""
    return f"…{path}" if cut else path


def user_id(uid: int) -> int | None:
    """`None` for the number that means nobody."""
    return None if uid == NOBODY else uid
