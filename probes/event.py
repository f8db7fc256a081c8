"""The base of every fact that reaches the core, plus the one fact about facts that did not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, with the moment it became true."""

    at: int
    """Nanoseconds since boot, suspend included (CLOCK_BOOTTIME): the only clock of the core."""


@dataclass(frozen=True, slots=True)
class EventsLost(Event):
    """Records that a bounded place had no room for: never silent, counted to the one."""

    place: str
    """Where they were lost: `ring` (kernel), `share` (the process had its share of the ring in it), `recursion` (the
    kernel skipped a program that was at work on that processor already), `table` (a kernel table had no room for a
    row), `inbox` (user space), `decode` (a record not understood), `core` (our mistake: thinking about it failed)."""
    probe: str
    """The probe whose records they were, `unknown`, or the name of the table."""
    count: int
    """How many since the last such event."""
