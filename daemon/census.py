"""Keeps the documents of the census in step with the core, rendering only what changed."""

from modelwarden.daemon.documents import model_document, workload_document
from modelwarden.daemon.model.world import World
from modelwarden.daemon.snapshot import Document
from modelwarden.probes.event import Event
from modelwarden.probes.sampled.tick import Tick

RUNNING_INTERVAL_NS = 10 * 1_000_000_000
"""How often the `last_seen` of what runs is brought up to date when nothing else happens."""

Rows = tuple[list[tuple[str, Document]], list[Document]]
"""(models by key, workloads)."""


class Census:
    """Documents by key, and which of them are newer than what was last taken to be stored."""

    def __init__(self) -> None:
        self.models: dict[str, Document] = {}
        self.workloads: dict[str, Document] = {}
        self._running_at = 0

    def after(self, event: Event, world: World) -> Rows | None:
        """What is to be stored once the core has heard an event: at each tick what changed, by the tick's own time.

        Nothing else decides when, so a journal gives the documents that the daemon had.
        """
        return self.update(world, event.at) if isinstance(event, Tick) else None

    def update(self, world: World, at: int) -> Rows:
        """Renders what changed since the last call."""
        if at - self._running_at > RUNNING_INTERVAL_NS:
            self._running_at = at
            for workload in world.workloads.all():
                if workload.running:
                    workload.last_seen_ns = world.wall_ns(at)
                    world.changed_workloads.add(workload.id)
        models = [
            (f"{device}:{inode}", model_document(entry)) for (device, inode), entry in world.changed_models.items()
        ]
        # In an order of their own: that of a set of texts is another one in each process.
        known = [found for one in sorted(world.changed_workloads) if (found := world.workloads.get(one)) is not None]
        workloads = [workload_document(workload, world) for workload in known]
        world.changed_models.clear()
        world.changed_workloads.clear()
        self.models.update(models)
        self.workloads.update((document["id"], document) for document in workloads)
        self._trim(world)
        return models, workloads

    def _trim(self, world: World) -> None:
        """What left the core's tables leaves here too; in the state it stays."""
        if len(self.models) > len(world.files):
            self.models = {
                key: document for key, document in self.models.items() if world.files.get(*map(int, key.split(":")))
            }
        if len(self.workloads) > len(world.workloads.all()):
            self.workloads = {key: one for key, one in self.workloads.items() if world.workloads.get(key)}
