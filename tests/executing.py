"""An executor among fakes, for tests of what it does with the orders of the core."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tests.kit import process_found, resynced

from modelwarden.daemon.command import (
    DescribeContainer,
    HashFile,
    InspectFile,
)
from modelwarden.daemon.executor import Children, Executor
from modelwarden.probes.event import Event


class FakeKernel:
    """Notes what it is told; one that is full refuses."""

    def __init__(self) -> None:
        self.full = False
        self.watched: list[tuple[int, int, bool]] = []
        self.remembered: list[tuple[tuple[int, ...], bool]] = []

    def watch(self, pid: int, start_ns: int, *, watched: bool) -> None:
        """As `Kernel`."""
        if self.full:
            raise OSError("map marks: no room")
        self.watched.append((pid, start_ns, watched))

    def remember(self, *key: int, is_model: bool) -> None:
        """As `Kernel`."""
        self.remembered.append((key, is_model))


class FakeInspector:
    """Takes questions while it has room; so do a hasher and a describer."""

    def __init__(self) -> None:
        self.room = 1
        self.taken: list[InspectFile | HashFile | DescribeContainer] = []

    def submit(self, command: InspectFile | HashFile | DescribeContainer) -> bool:
        """As `Inspector`."""
        if len(self.taken) >= self.room:
            return False
        self.taken.append(command)
        return True


class FakeKeeper:
    """Notes what it is to keep."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.flushes = 0

    def add_alert(self, document: dict[str, Any]) -> None:
        """As `Keeper`."""
        self.alerts.append(document)

    def flush(self) -> None:
        """As `Keeper`."""
        self.flushes += 1


class FakeRunning:
    """A system of so many processes; a look at it can be held up."""

    def __init__(self) -> None:
        self.processes = 3
        self.problem: str | None = None
        self.looks = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def sample(self, at: int) -> Iterator[Event]:
        """As `Running`."""
        self.looks += 1
        self.go_on.wait(10)
        for pid in range(self.processes):
            yield process_found(pid, at=at)
        yield resynced(at)

    def one(self, at: int, pid: int) -> list[Event]:
        """As `Running`."""
        return [process_found(pid, at=at)]


class Stage:
    """An executor among fakes, on a running loop."""

    def __init__(self) -> None:
        self.kernel, self.inspector, self.keeper = FakeKernel(), FakeInspector(), FakeKeeper()
        self.running = FakeRunning()
        self.arrived = asyncio.Event()
        self.batches: list[int] = []
        self.events: list[Event] = []
        self.threads: set[int] = set()
        self.describer = FakeInspector()
        children: Any = Children(self.inspector, FakeInspector(), self.describer)  # type: ignore[arg-type]
        fakes: dict[str, Any] = {"kernel": self.kernel, "children": children, "keeper": self.keeper}
        fakes |= {"running": self.running}
        self.executor = Executor(**fakes, loop=asyncio.get_running_loop(), put=self.put)

    def put(self, events: list[Event]) -> None:
        """Where answers arrive."""
        self.threads.add(threading.get_ident())
        self.batches.append(len(events))
        self.events += events
        self.arrived.set()

    async def answers(self, count: int) -> list[Event]:
        """All answers, of which there will be so many."""
        async with asyncio.timeout(10):
            while len(self.events) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.events


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    """Runs a scene on a loop of its own."""

    async def run() -> None:
        stage = Stage()
        try:
            await scene(stage)
        finally:
            stage.running.go_on.set()
            stage.executor.close()

    asyncio.run(run())
