"""Who lives: processes from their beginning to their end, the users behind them, the passing of time."""

from modelwarden.daemon.command import Resync
from modelwarden.daemon.event import PolicyLoaded, Remembered, Started, Stopping, UserNamed
from modelwarden.daemon.model.processes import Process
from modelwarden.daemon.model.world import Handlers, ModelUsed, Outcome, World
from modelwarden.probes.event import EventsLost
from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.kernel.exit import ProcessExited
from modelwarden.probes.kernel.fork import ProcessForked
from modelwarden.probes.sampled.procfs import ProcessFound, Resynced
from modelwarden.probes.sampled.tick import Tick

RESYNC_INTERVAL_NS = 30 * 1_000_000_000
"""After a loss the system is looked at again, but not more often than this."""


class Life:
    """A part of the model: the facts that it takes, and what it makes of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._resync_at = 0
        self._resync_wanted = False

    def handlers(self) -> Handlers:
        """Who takes which fact."""
        return {
            Started: self._started,
            Remembered: self._remembered,
            PolicyLoaded: self._policy_loaded,
            UserNamed: self._user_named,
            ProcessFound: self._process_found,
            Resynced: self._resynced,
            ProcessForked: self._forked,
            ProcessExecuted: self._executed,
            ProcessExited: self._exited,
            EventsLost: self._lost,
            Tick: self._tick,
            Stopping: self._stopping,
        }

    def _stopping(self, _event: Stopping) -> None:
        """What is under way is told by others; nobody ends with us."""

    def _started(self, event: Started) -> None:
        self._world.host_id = self._world.workloads.host_id = event.host_id
        self._world.wall_offset_ns = event.wall_offset_ns

    def _remembered(self, event: Remembered) -> None:
        self._world.memory.recall(event)

    def _policy_loaded(self, event: PolicyLoaded) -> Outcome:
        """Everything that runs is judged again under the new policy."""
        self._world.policy, self._world.policy_digest = event.policy, event.digest
        running = [workload for workload in self._world.workloads.all() if workload.running]
        return [
            ModelUsed(event.at, workload, next(iter(workload.living.values())), model, 0, first=False)
            for workload in running
            for model in workload.models.values()
        ], []

    def _user_named(self, event: UserNamed) -> None:
        self._world.users[event.uid] = event.name
        self._world.naming.discard(event.uid)
        self._world.changed_workloads |= {one.id for one in self._world.workloads.all() if one.uid == event.uid}

    def _lost(self, event: EventsLost) -> None:
        self._world.lost[event.place, event.probe] += event.count
        self._resync_wanted = True

    def _process_found(self, event: ProcessFound) -> None:
        parent = self._world.processes.by_pid(event.parent_pid) if event.parent_pid else None
        process = self._world.processes.found(event, parent)
        workload = self._world.workloads.get(process.workload or "")
        if workload is not None and workload.exe is None and process.path is not None:
            workload.belongs_to(self._world.families.of(process))
            workload.exe = process.path
            self._world.changed_workloads.add(workload.id)

    def _resynced(self, event: Resynced) -> None:
        self._world.synced = True
        for process in self._world.processes.missing(event.at):
            self._end(event.at, process)

    def _executed(self, event: ProcessExecuted) -> None:
        process = self._world.processes.executed(event)
        if workload := self._world.workloads.executed(process):
            self._world.changed_workloads.add(workload.id)

    def _exited(self, event: ProcessExited) -> None:
        process = self._world.processes.get(event.pid, event.start_ns)
        if process is not None:
            self._end(event.at, process)

    def _forked(self, event: ProcessForked) -> None:
        child = self._world.processes.forked(event)
        if child.workload and (workload := self._world.workloads.get(child.workload)):
            self._world.workloads.join(child, workload)
            self._world.changed_workloads.add(workload.id)

    def _end(self, at: int, process: Process) -> None:
        if not self._world.processes.end(process, at):
            return
        if workload := self._world.workloads.leave(process):
            workload.last_seen_ns = self._world.wall_ns(at)
            self._world.changed_workloads.add(workload.id)

    def _tick(self, event: Tick) -> Outcome | None:
        self._world.wall_offset_ns = event.wall_offset_ns
        self._world.processes.expire(event.at)
        if self._resync_wanted and event.at - self._resync_at > RESYNC_INTERVAL_NS:
            self._resync_wanted, self._resync_at = False, event.at
            return [], [Resync("events were lost")]
        return None
