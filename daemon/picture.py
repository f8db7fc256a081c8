"""Draws the immutable snapshot that exporters read from what the core and the shell know."""

from collections.abc import Iterable
from dataclasses import dataclass

from modelwarden.daemon.census import Census
from modelwarden.daemon.model.world import World
from modelwarden.daemon.pipeline import Core
from modelwarden.daemon.snapshot import ProbeStatus, Snapshot
from modelwarden.daemon.times import to_rfc3339
from modelwarden.probes.inbox import CAPACITY
from modelwarden.probes.kernel_side import ProbeState
from modelwarden.probes.wire import snake


@dataclass(slots=True)
class Workings:
    """What the shell counts about itself."""

    handled_seconds: float = 0.0
    inbox_depth: int = 0
    inspections_dropped: int = 0
    rows_unwritten: int = 0
    kernel_refusals: int = 0
    hashes_dropped: int = 0
    hashes_forgotten: int = 0


def picture(at: int, core: Core, census: Census, states: Iterable[ProbeState], workings: Workings) -> Snapshot:
    """The snapshot of this moment; everything in it is a copy or never changes."""
    world = core.world
    probes = tuple(_status(world, state) for state in states)
    return Snapshot(
        generated_at=to_rfc3339(world.wall_ns(at)),
        host_id=world.host_id,
        workloads=tuple(census.workloads.values()),
        models=tuple(census.models.values()),
        alerts=tuple((rule, severity, count) for (rule, severity), count in core.raised.items()),
        probes=probes,
        events={snake(event.__name__): count for event, count in core.events.items()},
        lost=dict(world.lost),
        opens=dict(world.opens),
        evicted={
            "processes": world.processes.evicted,
            "files": world.files.evicted,
            "workloads": world.workloads.evicted,
            "groups": world.groups.evicted,
            "hashes": core.hashes.evicted + workings.hashes_dropped,
            "stored_hashes": workings.hashes_forgotten,
            "alerts": core.correlator.evicted,
            "unwritten_rows": workings.rows_unwritten,
            "kernel_marks": workings.kernel_refusals,
        },
        inspections={**core.inspections, "dropped": workings.inspections_dropped},
        rule_errors=dict(core.rule_errors),
        inbox_depth=workings.inbox_depth,
        inbox_capacity=CAPACITY,
        handled_seconds=workings.handled_seconds,
        policy_digest=world.policy_digest,
        ready=world.synced and all(probe.hook and probe.proven is not False for probe in probes),
    )


def _status(world: World, state: ProbeState) -> ProbeStatus:
    name, at = state.name, world.proven.get(state.name)
    return ProbeStatus(
        name,
        state.hook.value if state.hook else None,
        state.reason,
        state.next_step,
        proven=False if name in world.blind else None if at is None else True,
        proven_at=None if at is None else world.wall_ns(at) / 1e9,
    )
