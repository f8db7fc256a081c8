"""All that is known, in bounded tables, and the words in which the parts of the model speak of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from modelwarden.daemon.command import Command, NameUser
from modelwarden.daemon.identify.containers.engine import Engine
from modelwarden.daemon.identify.runtimes.runtime import Runtime
from modelwarden.daemon.model.families import Families
from modelwarden.daemon.model.files import FileKey, Files, ModelFile
from modelwarden.daemon.model.groups import Groups
from modelwarden.daemon.model.memory import Memory
from modelwarden.daemon.model.processes import Process, Processes
from modelwarden.daemon.model.workloads import Workload, Workloads
from modelwarden.daemon.policy import Policy
from modelwarden.probes.event import Event
from modelwarden.probes.sampled.procfs import NOBODY

USERS_MAX = 4_096
"""Users whose names are known or asked for."""


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

Handlers = dict[type[Event], Callable[[Any], Outcome | None]]
"""Each part of the model says which facts it takes: no two take the same."""


@dataclass(slots=True)
class World:
    """What the parts of the model keep, and rules, documents and metrics read."""

    runtimes: tuple[Runtime, ...] = ()
    engines: tuple[Engine, ...] = ()
    processes: Processes = field(default_factory=Processes)
    files: Files = field(default_factory=Files)
    memory: Memory = field(default_factory=Memory)
    groups: Groups = field(init=False)
    families: Families = field(init=False)
    workloads: Workloads = field(init=False)
    users: dict[int, str | None] = field(default_factory=dict)
    """Names by number, `None` for one that has none, or none yet."""
    naming: set[int] = field(default_factory=set)
    """Users whose names have been asked for."""
    policy: Policy = field(default_factory=Policy)
    policy_digest: str = "none"
    host_id: str = ""
    wall_offset_ns: int = 0
    synced: bool = False
    """The first look at the running system is complete."""
    opens: Counter[str] = field(default_factory=Counter)
    """Of models, by format."""
    proven: dict[str, int] = field(default_factory=dict)
    """When each probe proved itself last, boot nanoseconds."""
    blind: dict[str, int] = field(default_factory=dict)
    """Probes that did not see what was made for them, and since when that is known, boot nanoseconds."""
    untried: dict[str, str] = field(default_factory=dict)
    """Probes that the latest round of the self-test says nothing about, and why."""
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Events, by (place, probe)."""
    changed_workloads: set[str] = field(default_factory=set)
    """Since the census was drawn last."""
    changed_models: dict[FileKey, ModelFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Each table knows those that it looks things up in."""
        self.groups = Groups(self.engines)
        self.families = Families(self.runtimes, self.processes, self.groups)
        self.workloads = Workloads(self.memory, self.families, self.groups)

    def ask_names(self, process: Process) -> list[NameUser]:
        """Asks for the names of a process's users that are new."""
        unknown = {process.uid, process.login_uid} - self.users.keys() - {NOBODY}
        asked = sorted(unknown)[: USERS_MAX - len(self.users)]
        self.users.update(dict.fromkeys(asked))
        self.naming.update(asked)
        return [NameUser(uid) for uid in asked]

    def introduce(self, process: Process) -> list[Command]:
        """Asks what is not known yet of who runs a process and where."""
        return [*self.ask_names(process), *self.groups.ask(process)]

    def wall_ns(self, at: int) -> int:
        """The wall-clock time of an `at`, nanoseconds since 1970 UTC."""
        return at + self.wall_offset_ns
