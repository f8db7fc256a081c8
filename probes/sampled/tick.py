"""The passing of time as a fact: the core owns no clock."""

from dataclasses import dataclass

from modelwarden.probes.clock import wall_offset_ns
from modelwarden.probes.event import Event


@dataclass(frozen=True, slots=True)
class Tick(Event):
    """A second has passed, more or less."""

    wall_offset_ns: int
    """Add it to an `at` to get nanoseconds since 1970 UTC."""


class Ticker:
    """A `Source` of one tick a sample."""

    def sample(self, at: int) -> list[Tick]:
        """The tick of now."""
        return [Tick(at, wall_offset_ns())]
