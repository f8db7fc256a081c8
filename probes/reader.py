"""Turns what the kernel side holds, bytes and counters, into typed events."""

from modelwarden.probes import registry
from modelwarden.probes.event import Event, EventsLost
from modelwarden.probes.loader import Kernel
from modelwarden.probes.wire import kind_of

_LAYOUT_OF_KIND = {item.kind: item for item in registry.LAYOUTS}


class Reader:
    """Decodes batches; what it cannot decode, and what the kernel could not send, it reports as lost."""

    def __init__(self, kernel: Kernel) -> None:
        self._lost = kernel.counters["lost"]
        self._reported = [0] * self._lost.entries
        self._undecoded = 0

    def decode(self, batch: list[bytes]) -> list[Event]:
        """The events of a batch, in order."""
        events: list[Event] = []
        for raw in batch:
            try:
                events.append(_LAYOUT_OF_KIND[kind_of(raw)].decode(raw))
            except (KeyError, ValueError):
                self._undecoded += 1
        return events

    def losses(self, at: int) -> list[EventsLost]:
        """What was lost since the last call, to the record."""
        totals = self._lost.read()
        lost = [
            EventsLost(at, "ring", registry.PROBE_OF_KIND.get(kind, "unknown"), total - before)
            for kind, (total, before) in enumerate(zip(totals, self._reported, strict=True))
            if total > before
        ]
        self._reported = totals
        if self._undecoded:
            lost.append(EventsLost(at, "decode", "unknown", self._undecoded))
            self._undecoded = 0
        return lost
