"""Turns what the kernel side holds, bytes and counters, into typed events."""

from collections.abc import Iterator

from modelwarden.probes import registry
from modelwarden.probes.event import Event, EventsLost
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.tables import Loss, Refusal
from modelwarden.probes.wire import SELF_TEST, header_of

_PLACE = {Loss.RING: "ring", Loss.SHARE: "share"}

Counted = tuple[str, str, int]
"""Place, probe, how many since the programs were loaded."""


class Reader:
    """Decodes batches; what it cannot decode, and what the kernel could not send, it reports as lost."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._reported: dict[tuple[str, str], int] = {}
        self._undecoded = 0
        self.proofs: set[type[Event]] = set()
        """Records that the self-test's process has caused: they prove their probes and tell of nobody."""

    def decode(self, batch: list[bytes]) -> list[Event]:
        """The events of a batch, in order."""
        events: list[Event] = []
        for raw in batch:
            try:
                kind, flags = header_of(raw)
                layout = registry.LAYOUT_OF_KIND[kind]
                event = layout.decode(raw)
            except (KeyError, ValueError):
                self._undecoded += 1
                continue
            if flags & SELF_TEST:
                self.proofs.add(layout.event)
            else:
                events.append(event)
        return events

    def losses(self, at: int) -> list[EventsLost]:
        """What was lost since the last call, to the record."""
        lost = []
        for place, probe, total in self._totals():
            before = self._reported.get((place, probe), 0)
            if total > before:
                lost.append(EventsLost(at, place, probe, total - before))
                self._reported[place, probe] = total
        if self._undecoded:
            lost.append(EventsLost(at, "decode", "unknown", self._undecoded))
            self._undecoded = 0
        return lost

    def _totals(self) -> Iterator[Counted]:
        by_probe: dict[tuple[str, str], int] = {}
        counts = self._kernel.lost.read()
        kinds_end = len(counts) // len(Loss)
        for index, total in enumerate(counts):
            place, probe = _PLACE[Loss(index // kinds_end)], registry.PROBE_OF_KIND.get(index % kinds_end, "unknown")
            by_probe[place, probe] = by_probe.get((place, probe), 0) + total
        for (place, probe), total in by_probe.items():
            yield place, probe, total
        for table, total in zip(Refusal, self._kernel.refusals.read(), strict=True):
            yield "table", table.name.lower(), total
        for probe, total in self._kernel.misses().items():
            yield "recursion", probe, total
