"""The bounded queue between everything that sees and the one thread that thinks."""

from collections import Counter, deque
from collections.abc import Iterable

from modelwarden.probes import registry
from modelwarden.probes.event import Event, EventsLost
from modelwarden.probes.kernel.file_change import FileChanged
from modelwarden.probes.kernel.file_map import FileMapped
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.sampled.opens import OpensCounted

CAPACITY = 65_536
BULK_SHARE = 0.75
"""Bulk facts stop here, so that the rest is left for the life of processes: without it nothing else makes sense."""

_PROBE_OF = {record: probe.name for probe in registry.PROBES for record in probe.records} | {OpensCounted: "file_open"}
"""Who reported an event; everything else was asked for."""
SAMPLED = "sampled"

_BULK: tuple[type[Event], ...] = (FileOpened, FileMapped, FileChanged, OpensCounted)


class Inbox:
    """First in, first out. What finds no room is counted by kind, never silently gone."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._bulk_limit = int(capacity * BULK_SHARE)
        self._queue: deque[Event] = deque()
        self._lost: Counter[tuple[str, str]] = Counter()

    def put(self, events: Iterable[Event]) -> None:
        """Adds events in order, dropping bulk first when room is short."""
        for event in events:
            limit = self._bulk_limit if isinstance(event, _BULK) else self.capacity
            if len(self._queue) < limit:
                self._queue.append(event)
            else:
                self._lost["inbox", _PROBE_OF.get(type(event), SAMPLED)] += 1

    def take(self, limit: int) -> list[Event]:
        """Removes up to `limit` events, oldest first."""
        return [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]

    def losses(self, at: int) -> list[EventsLost]:
        """What was lost since the last call, by place and probe."""
        lost = [EventsLost(at, place, probe, count) for (place, probe), count in sorted(self._lost.items())]
        self._lost.clear()
        return lost

    def failed(self, event: Event) -> None:
        """Counts an event that was taken and could not be thought about."""
        self._lost["core", _PROBE_OF.get(type(event), SAMPLED)] += 1

    def __len__(self) -> int:
        return len(self._queue)
