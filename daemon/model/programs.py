"""What programs show of themselves: the libraries that they load, the place that they live in."""

from modelwarden.daemon.command import Command, WatchProcess
from modelwarden.daemon.event import ContainerDescribed
from modelwarden.daemon.model.processes import Process
from modelwarden.daemon.model.world import Handlers, Outcome, World
from modelwarden.probes.candidate import Candidate
from modelwarden.probes.kernel.file_map import FileMapped
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.sampled.groups import GroupFound
from modelwarden.probes.sampled.procfs import FileFound

_LIBRARY = int(Candidate.LIBRARY)
LIBRARIES_MAX = 32
"""Of one process; runtimes load a dozen."""


class Programs:
    """A part of the model, heard before those that ask whose file was opened."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handlers(self) -> Handlers:
        """Who takes which fact."""
        return {
            FileOpened: self._used,
            FileMapped: self._used,
            FileFound: self._found,
            GroupFound: self._placed,
            ContainerDescribed: self._described,
        }

    def _used(self, event: FileOpened | FileMapped) -> Outcome | None:
        if not event.reasons & _LIBRARY:
            return None
        return self._loads(event.at, self._world.processes.actor(event), event.path)

    def _found(self, event: FileFound) -> Outcome | None:
        process = self._world.processes.get(event.pid, event.start_ns)
        if process is None or not event.reasons & _LIBRARY:
            return None
        return self._loads(event.at, process, event.path)

    def _loads(self, at: int, process: Process, path: str) -> Outcome | None:
        """A library alone makes no workload, for any script may import it; with a runtime of its own it does."""
        name = path.rpartition("/")[2]
        families = self._world.families
        if name in process.libraries or len(process.libraries) >= LIBRARIES_MAX or not families.is_library(name):
            return None
        process.libraries |= {name}
        family = families.of(process)
        commands: list[Command] = []
        if process.workload is None:
            if family is None or not family.is_specific:
                return None
            self._world.workloads.of(process, self._world.processes, self._world.wall_ns(at))
            commands += self._world.introduce(process)
            commands.append(WatchProcess(process.pid, process.start_ns, watched=True))
        workload = self._world.workloads.get(process.workload or "")
        if workload is not None:
            workload.belongs_to(family)
            workload.explain(f"library loaded: {name}")
            self._world.changed_workloads.add(workload.id)
        return [], commands

    def _placed(self, event: GroupFound) -> None:
        self._world.groups.found(event)

    def _described(self, event: ContainerDescribed) -> None:
        self._world.groups.described(event)
        for workload in self._world.workloads.all():
            if self._world.groups.container_of(workload.head) == (event.container, event.uid):
                workload.belongs_to(self._world.families.of(workload.head))
                self._world.changed_workloads.add(workload.id)
