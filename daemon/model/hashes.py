"""What files hash to: which sums are wanted, which are known, and who has to be judged again when one comes."""

from collections import OrderedDict
from typing import TypeVar

from modelwarden.daemon.command import Announce, HashFile
from modelwarden.daemon.event import FileHashed, FileIdentity
from modelwarden.daemon.model.files import ModelFile
from modelwarden.daemon.model.world import Handlers, ModelUsed, Outcome, World
from modelwarden.probes.sampled.tick import Tick

KNOWN_MAX = 16_384
ASKED_MAX = 1_024
"""Sums that are being waited for; the hasher has room for as many."""
FAILED_MAX = 1_024
SECOND_NS = 1_000_000_000
ASK_AGAIN_NS = 600 * SECOND_NS
"""A file without a sum is asked about again when it is used after this."""
PENDING_MAX_NS = 3_600 * SECOND_NS
"""After this nobody waits any more: to keep the machine busy must not be a way to hide a model. It may still come."""

_ValueT = TypeVar("_ValueT")


class Hashes:
    """A part of the model: tables of sums by the state of a file, each with a limit."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.known: OrderedDict[FileIdentity, str] = OrderedDict()
        """The one used last is the last."""
        self._asked: OrderedDict[FileIdentity, int] = OrderedDict()
        self._failed: OrderedDict[FileIdentity, int] = OrderedDict()
        self.evicted = 0
        """Sums that left a full table, and files that found no room to be asked about."""

    def handlers(self) -> Handlers:
        """Who takes which fact."""
        return {FileHashed: self._hashed, Tick: self._ticked}

    def wanted(self, entry: ModelFile, pids: tuple[int, ...]) -> list[HashFile]:
        """What to order for a model that was just used; it learns what is known, or that it is being waited for.

        The time is that of its latest use: call it behind that was noted. `pids` are those of `InspectFile`.
        """
        file, now = entry.file, entry.last_seen_ns
        entry.sha256, entry.hash_pending = self.sha256_of(entry), self.is_pending(entry)
        if entry.sha256 is not None:
            self.known.move_to_end(file)
            return []
        failed = now - self._failed.get(file, now - ASK_AGAIN_NS) < ASK_AGAIN_NS
        if entry.hash_pending or failed:
            return []
        if len(self._asked) >= ASKED_MAX:
            self.evicted += 1
            return []
        self._asked[file] = now
        entry.hash_pending = True
        return [HashFile(file, entry.path, pids)]

    def sha256_of(self, entry: ModelFile) -> str | None:
        """Of the state that it is in."""
        return self.known.get(entry.file)

    def is_pending(self, entry: ModelFile) -> bool:
        """Whether an answer about the state that it is in will come."""
        return entry.file in self._asked

    def _hashed(self, event: FileHashed) -> Outcome:
        """Whoever has read the model is judged again: with the sum, or for want of it."""
        self._asked.pop(event.file, None)
        if event.sha256 is None:
            self._put(self._failed, event.file, self._world.wall_ns(event.at), FAILED_MAX)
        else:
            self._failed.pop(event.file, None)
            self._put(self.known, event.file, event.sha256, KNOWN_MAX)
        entry = self._world.files.get(event.file.device, event.file.inode)
        if entry is None or entry.file != event.file:
            return [], []
        entry.sha256, entry.hash_pending = event.sha256, False
        self._world.changed_models[entry.key] = entry
        used = judged_again(self._world, event.at, entry)
        if event.sha256 is not None:
            return used, []
        return used, [Announce("model_not_hashed", (("path", entry.path), ("reason", event.reason)))]

    def _ticked(self, event: Tick) -> Outcome | None:
        """Whoever has read a model whose sum takes too long is judged without it."""
        too_old = self._world.wall_ns(event.at) - PENDING_MAX_NS
        used: list[ModelUsed] = []
        while self._asked and next(iter(self._asked.values())) <= too_old:
            file, _ = self._asked.popitem(last=False)
            entry = self._world.files.get(file.device, file.inode)
            if entry is not None and entry.file == file:
                entry.hash_pending = False
                used += judged_again(self._world, event.at, entry)
        return (used, []) if used else None

    def _put(self, table: OrderedDict[FileIdentity, _ValueT], file: FileIdentity, value: _ValueT, limit: int) -> None:
        table[file] = value
        table.move_to_end(file)
        if len(table) > limit:
            table.popitem(last=False)
            self.evicted += 1


def judged_again(world: World, at: int, entry: ModelFile) -> list[ModelUsed]:
    """The workloads that have read a model before, of which now more is known, or something else."""
    found = []
    for workload in world.workloads.all():
        if entry.key in workload.models:
            world.changed_models[entry.key] = entry
            world.changed_workloads.add(workload.id)
            if process := workload.latest():
                found.append(ModelUsed(at, workload, process, entry, 0, first=False))
    return found
