"""The kernel side at work, with everything that it has reported."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from modelwarden.probes.btf import KERNEL_BTF, Btf
from modelwarden.probes.clock import boot_ns
from modelwarden.probes.event import Event
from modelwarden.probes.hooks import check
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.loader import ProbesUnavailableError, load
from modelwarden.probes.probe import Hook, HookKind, Probe
from modelwarden.probes.reader import Reader
from modelwarden.probes.sampled.opens import OpenCounts, OpensCounted

EventT = TypeVar("EventT", bound=Event)

LARGE_BYTES = 32 << 20


def hooks_of(probe: Probe) -> list[HookKind]:
    """The hooks of a probe that this kernel takes, so that each is tested; all of them where nobody may ask."""
    if os.geteuid() != 0 or not KERNEL_BTF.exists():
        return [hook.kind for hook in probe.hooks]
    types = Btf()
    taken = [hook.kind for hook in probe.hooks if _is_taken(hook, types)]
    types.close()
    return taken


def _is_taken(hook: Hook, types: Btf) -> bool:
    try:
        check(hook, types)
    except OSError as error:
        return "tracefs" in str(error) and not os.environ.get("MODELWARDEN_NO_TRACEFS")  # conftest.py mounts it
    return True


def by_each_hook(probe: Probe) -> Callable[..., Iterator[Kernel]]:
    """A fixture for a module: all probes, with one of them by each of its hooks."""

    @pytest.fixture(scope="module", params=hooks_of(probe), ids=str)
    def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
        kernel = load_or_skip(all_but(probe, request.param))
        yield kernel
        kernel.close()

    return kernel


def all_but(probe: Probe, kind: HookKind) -> dict[str, str]:
    """What to leave out so that a probe takes one hook."""
    return {probe.key(hook): "left out by the test" for hook in probe.hooks if hook.kind is not kind}


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
        while self.kernel.drain(512, lambda batch: self.events.extend(self._reader.decode(batch))):
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
