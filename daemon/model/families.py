"""Which runtime a process belongs to, and which process a person would call its first."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from modelwarden.daemon.identify.runtimes.reading.chooser import Chooser
from modelwarden.daemon.identify.runtimes.reading.command_line import script_of
from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition, Runtime
from modelwarden.daemon.model.groups import Groups
from modelwarden.daemon.model.processes import Process, Processes

GENERATIONS = 4
"""Of a process's ancestors, how many runtimes look at."""
SPECIFIC = 2
"""From this strength on a runtime is a program of its own, not a library that any script may load."""


@dataclass(frozen=True, slots=True)
class Family:
    """A process's runtime, and why."""

    runtime: str
    recognition: Recognition

    @property
    def is_specific(self) -> bool:
        """Whether it is more than a library in some program."""
        return self.recognition.strength >= SPECIFIC


class Families:
    """Asks the runtimes about processes; an answer is kept with the process until what it rests on changes."""

    def __init__(self, runtimes: Iterable[Runtime], processes: Processes, groups: Groups) -> None:
        runtimes = tuple(runtimes)
        self._chooser = Chooser(runtimes)
        self._heads = tuple(prefix for runtime in runtimes for prefix in runtime.libraries)
        self._processes = processes
        self._groups = groups

    def is_library(self, name: str) -> bool:
        """Whether a file of this name is a library that does machine learning."""
        return name.startswith(self._heads)

    def of(self, process: Process) -> Family | None:
        """The runtime of a process, `None` for a program of no known one."""
        near = (process, *islice(self._processes.lineage(process), GENERATIONS))
        stamp = tuple((one.path, one.arguments, one.libraries, one.cgroup) for one in near)
        if process.family_stamp != stamp:
            found = self._chooser.choose(tuple(self._program(one) for one in near))
            process.family = None if found is None else Family(*found)
            process.family_stamp = stamp
        return process.family if isinstance(process.family, Family) else None

    def does_learning(self, process: Process) -> bool:
        """Whether a program does machine learning: what it opens of no certain kind is a model then."""
        return bool(process.workload or process.libraries) or self.of(process) is not None

    def head(self, process: Process) -> Process:
        """The first process of what a person calls one thing: the server of a runner, the parent of its workers."""
        near = (process, *self._processes.lineage(process))
        family = self.of(process)
        at = min(family.recognition.head, len(near) - 1) if family is not None else 0
        while at + 1 < len(near) and self._is_worker_of(near[at], near[at + 1]):
            at += 1
        return near[at]

    def _is_worker_of(self, child: Process, parent: Process) -> bool:
        """Whether a process does a part of its parent's work: the same program with the same script and user."""
        if child.path is None or (child.path, child.uid) != (parent.path, parent.uid):
            return False
        if self._groups.container_of(child) != self._groups.container_of(parent):
            return False
        script = script_of(child.arguments, name_of(child))
        if child.arguments == parent.arguments or (script and script == script_of(parent.arguments, name_of(parent))):
            return True
        return any(word.startswith("from multiprocessing.") for word in child.arguments[:8])

    def _program(self, process: Process) -> Program:
        return Program(
            process.path,
            process.arguments,
            process.libraries,
            self._groups.of(process).unit,
            self._groups.describe(self._groups.container_of(process)).image,
        )


def name_of(process: Process) -> str:
    """The last component of a process's executable."""
    return (process.path or "").rpartition("/")[2]
