"""Where processes live: the unit, session, application and container that a cgroup stands for."""

import re
from collections import OrderedDict
from collections.abc import Iterable

from modelwarden.daemon.command import DescribeContainer
from modelwarden.daemon.event import ContainerDescribed
from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.placement import Placement, place
from modelwarden.daemon.model.processes import Process
from modelwarden.probes.sampled.groups import GroupFound

Owned = tuple[Container, int]
"""A container, and whose cgroup it is, 0 for the system's: users can name their own cgroups after anybody's."""

LIMIT = 8_192
SHORT_ID = 12
"""Characters of a container's identifier that engines themselves show."""

NOWHERE = Placement(unit=None, user_unit=False, owner_uid=None, container=None, application=None)
UNDESCRIBED = Description()

_SESSION = re.compile(r"/session-([0-9A-Za-z]{1,16})\.scope(?:/|$)")


class Groups:
    """At most `LIMIT` cgroups and as many descriptions of containers; the oldest leave first, and are counted."""

    def __init__(self, engines: Iterable[Engine] = (), limit: int = LIMIT) -> None:
        self._engines = tuple(engines)
        self._limit = limit
        self._placements: OrderedDict[int, Placement] = OrderedDict()
        self._sessions: dict[int, str] = {}
        self._descriptions: OrderedDict[Owned, Description | None] = OrderedDict()
        self.evicted = 0

    def found(self, event: GroupFound) -> None:
        """Learns what a cgroup is."""
        self._placements[event.cgroup] = place(event.path, self._engines)
        self._sessions.pop(event.cgroup, None)
        if session := _SESSION.search(event.path):
            self._sessions[event.cgroup] = session[1]
        if len(self._placements) > self._limit:
            leaving, _ = self._placements.popitem(last=False)
            self._sessions.pop(leaving, None)
            self.evicted += 1

    def of(self, process: Process) -> Placement:
        """Where a process lives, as far as known."""
        return self._placements.get(process.cgroup, NOWHERE)

    def container_of(self, process: Process) -> Owned | None:
        """The container that a process lives in."""
        placement = self.of(process)
        return None if placement.container is None else (placement.container, placement.owner_uid or 0)

    def session_of(self, process: Process) -> str | None:
        """The login session, as logind counts them; services have none."""
        return self._sessions.get(process.cgroup)

    def ask(self, process: Process) -> list[DescribeContainer]:
        """Asks once for the name and the image of the container that a process lives in."""
        owned = self.container_of(process)
        if owned is None or owned in self._descriptions:
            return []
        self._descriptions[owned] = None
        if len(self._descriptions) > self._limit:
            self._descriptions.popitem(last=False)
            self.evicted += 1
        return [DescribeContainer(*owned)]

    def described(self, event: ContainerDescribed) -> None:
        """Takes the answer; one that nobody asked for any more is passed over."""
        if (event.container, event.uid) in self._descriptions:
            self._descriptions[event.container, event.uid] = event.description

    def describe(self, owned: Owned | None) -> Description:
        """What is known of a container."""
        return (self._descriptions.get(owned) if owned else None) or UNDESCRIBED


def container_name(container: Container, description: Description) -> str:
    """A container in one word: `docker:ollama`, by its identifier as long as no name is known."""
    return f"{container.engine}:{description.name or container.id[:SHORT_ID]}"
