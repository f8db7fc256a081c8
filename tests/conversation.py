"""A conversation with the core: what it was told, what it ordered, what it has come to know."""

from collections.abc import Iterable

from tests.kit import (
    DEVICE,
    MODEL,
    NOW,
    PID,
    START,
    TINY,
    inode_of,
    is_model,
    of,
    opened,
    started,
    user_named,
)

from modelwarden.daemon.command import Command, InspectFile
from modelwarden.daemon.identify.containers.engine import Engine
from modelwarden.daemon.identify.runtimes.runtime import Runtime
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.model.files import ModelFile
from modelwarden.daemon.model.processes import Process
from modelwarden.daemon.model.workloads import Workload
from modelwarden.daemon.pipeline import Core
from modelwarden.daemon.rules.rule import Rule
from modelwarden.probes.event import Event


class Conversation:
    """Tells a core what happened and keeps what it answers."""

    def __init__(
        self, *rules: Rule, named: bool = True, runtimes: Iterable[Runtime] = (), engines: Iterable[Engine] = ()
    ) -> None:
        """The user's name is known unless `named` is false: what waits for it would be another matter each time."""
        self.core = Core(rules, runtimes, engines)
        self.world = self.core.world
        self.commands: list[Command] = []
        """All that the core has ever ordered."""
        self.tell(started(), *([user_named()] if named else []))

    def tell(self, *events: Event) -> list[Command]:
        """What the core orders on hearing this."""
        answers = [command for event in events for command in self.core.step(event)]
        self.commands += answers
        return answers

    def use(self, path: str = MODEL, pid: int = PID, at: int = NOW, what: Identity = TINY) -> list[Command]:
        """A process opens a file that turns out to be a model."""
        return self.tell(opened(path, pid, at), is_model(path, what, at))

    def answer_inspections(self, what: Identity = TINY) -> list[Command]:
        """The inspector finds a model in all that it was ever asked to look at."""
        asked = of(InspectFile, self.commands)
        return self.tell(*(is_model(which=one.file, what=what) for one in asked))

    @property
    def workload(self) -> Workload:
        """The only workload."""
        (one,) = self.world.workloads.all()
        return one

    def model(self, path: str = MODEL) -> ModelFile:
        """The entry of a file."""
        found = self.world.files.get(DEVICE, inode_of(path))
        assert found is not None, f"nothing is known of {path}"
        return found

    def knows(self, path: str = MODEL) -> bool:
        """Whether the file has an entry."""
        return self.world.files.get(DEVICE, inode_of(path)) is not None

    def process(self, pid: int = PID, start_ns: int = START) -> Process:
        """The entry of a process."""
        found = self.world.processes.get(pid, start_ns)
        assert found is not None, f"nothing is known of process {pid}"
        return found
