"""Real probes in the running kernel, for tests that do a known thing and expect exactly its events."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from modelwarden.probes.clock import boot_ns
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.loader import Kernel, ProbesUnavailableError, load
from modelwarden.probes.reader import Reader
from modelwarden.probes.sampled.opens import OpenCounts, OpensCounted

EventT = TypeVar("EventT", bound=Event)

LARGE_BYTES = 32 << 20
HOOKS_OF_FILE_OPEN = ("tracepoint", "raw_tracepoint")


@dataclass
class Watch:
    """The kernel side with everything that it has reported."""

    kernel: Kernel
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Readers of what the kernel side holds."""
        self._reader = Reader(self.kernel)
        self._counts = OpenCounts(self.kernel)

    def drain(self) -> list[Event]:
        """All events so far."""
        while self.kernel.ring.drain(512, lambda batch: self.events.extend(self._reader.decode(batch))):
            pass
        return self.events

    def of(self, kind: type[EventT]) -> list[EventT]:
        """All events of a kind."""
        return [event for event in self.drain() if isinstance(event, kind)]

    def opens(self, path: Path) -> list[FileOpened]:
        """The reported opens of a path."""
        return [event for event in self.drain() if isinstance(event, FileOpened) and event.path == str(path)]

    def repetitions(self) -> list[OpensCounted]:
        """The opens that the kernel counted since the last call."""
        self.drain()
        return list(self._counts.sample(boot_ns()))

    def lost(self) -> int:
        """Records lost since the last call."""
        return sum(one.count for one in self._reader.losses(boot_ns()))


def load_or_skip(without: dict[str, str]) -> Kernel:
    """The kernel side; a machine that cannot run it skips, except where it must (CI)."""
    try:
        return load(LARGE_BYTES, without)
    except ProbesUnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no probes here: {error}")


@pytest.fixture(scope="session", params=HOOKS_OF_FILE_OPEN)
def either_kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """All probes, with `file_open` by each of its hooks."""
    others = [f"file_open_{hook}" for hook in HOOKS_OF_FILE_OPEN if hook != request.param]
    kernel = load_or_skip(dict.fromkeys(others, "left out by the test"))
    yield kernel
    kernel.close()


@pytest.fixture
def watch(either_kernel: Kernel) -> Watch:
    """What happens from now on; the test's own process is visible, and not marked."""
    either_kernel.watch(os.getpid(), 0, watched=False)
    watch = Watch(either_kernel)
    watch.repetitions()
    watch.lost()
    watch.events.clear()
    return watch


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes a file of a name and a size without opening it, sparse where it is large."""

    def make(name: str, size: int = 100, folder: Path = tmp_path) -> Path:
        path = folder / name
        os.mknod(path, 0o600 | stat.S_IFREG)
        os.truncate(path, size)
        return path

    return make
