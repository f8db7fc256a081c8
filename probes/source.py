"""The contract of a sampled source: asked at intervals, it answers with facts."""

from collections.abc import Iterable
from typing import Protocol

from modelwarden.probes.event import Event


class Source(Protocol):
    """One thing that is asked of the system; its module holds the events that it answers with."""

    def sample(self, at: int) -> Iterable[Event]:
        """What is so at `at` (boot nanoseconds)."""
        ...
