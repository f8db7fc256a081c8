"""What we see ourselves: which probes have proven that they do, and which are blind."""

from modelwarden.daemon.command import Announce, Command
from modelwarden.daemon.event import ProbesProven
from modelwarden.daemon.model.world import Handlers, Outcome, World

SECOND_NS = 1_000_000_000
BLIND_NEXT_STEP = (
    "restart the daemon, which attaches it anew; if modelwarden doctor calls it blind too, "
    "look for who detaches it (bpftool prog, dmesg)"
)


class Sight:
    """A part of the model: what the self-test found, kept until the next round says otherwise."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handlers(self) -> Handlers:
        """Who takes which fact."""
        return {ProbesProven: self._proven}

    def _proven(self, event: ProbesProven) -> Outcome:
        """A change is told once. Who could not be tried stays what it was."""
        world = self._world
        told: list[Command] = []
        for name in event.proven:
            world.proven[name] = event.at
            if (since := world.blind.pop(name, None)) is not None:
                blind_s = (event.at - since) // SECOND_NS
                told.append(Announce("probe_sees_again", (("probe", name), ("blind_seconds", blind_s))))
        for name in event.blind:
            if name not in world.blind:
                world.blind[name] = event.at
                told.append(Announce("probe_blind", (("probe", name), ("next_step", BLIND_NEXT_STEP))))
        for name, reason in event.untried:
            if name not in world.untried:
                told.append(Announce("probe_not_tried", (("probe", name), ("reason", reason))))
        world.untried = dict(event.untried)
        return [], told
