"""Who reads weights: from opens and inspections to uses of models by workloads."""

import os

from modelwarden.daemon.command import Command, FindProcess, InspectFile, RememberFile, WatchProcess
from modelwarden.daemon.event import FileIdentity, FileInspected, Inspection
from modelwarden.daemon.model.files import ModelFile, Standing
from modelwarden.daemon.model.hashes import Hashes, judged_again
from modelwarden.daemon.model.processes import Process, marked_path
from modelwarden.daemon.model.world import Handlers, ModelUsed, Outcome, World
from modelwarden.probes.candidate import LIKE_A_MODEL, Candidate
from modelwarden.probes.kernel.file_map import FileMapped
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.sampled.opens import OpensCounted
from modelwarden.probes.sampled.procfs import FileFound

WATCHED_MIN_BYTES = 1 << 20
"""From this size on a file without any sign in its name is inspected when a watched process reads it."""
_LIKE_A_MODEL = int(LIKE_A_MODEL)
"""As a plain number: an enumeration takes a microsecond to compare."""
WAYS_MAX = 16
"""Processes that the inspector is told to look through."""
LOOK_AGAIN_NS = 10 * 1_000_000_000
LOOK_AGAIN_MAX = 8
ASK_AGAIN_NS = 60 * 1_000_000_000
"""A file that could not be inspected is asked about again at an open after this."""


class Weights:
    """A part of the model: the facts that it takes, and what it makes of them."""

    def __init__(self, world: World, hashes: Hashes) -> None:
        self._world = world
        self._hashes = hashes

    def handlers(self) -> Handlers:
        """Who takes which fact."""
        return {
            FileOpened: self._opened,
            FileMapped: self._mapped,
            FileFound: self._found,
            OpensCounted: self._counted,
            FileInspected: self._inspected,
        }

    def _opened(self, event: FileOpened) -> Outcome:
        process = self._world.processes.actor(event)
        access = event.open_flags & os.O_ACCMODE
        if event.created:
            self._world.files.bury(event.device, event.inode)
        if access == os.O_WRONLY or (access == os.O_RDWR and not event.size):
            return [], []  # what is empty, or was emptied by the open, is about to be written
        if not _may_be_weights(event):
            return [], []
        file = FileIdentity(event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns)
        path = marked_path(event.path, event.path_cut)
        return self._read(event.at, process, file, path, event.reasons, may_write=access == os.O_RDWR)

    def _mapped(self, event: FileMapped) -> Outcome:
        """A process maps what it was not seen opening: the descriptor came from another process."""
        if not _may_be_weights(event):
            return [], []
        process = self._world.processes.actor(event)
        file = FileIdentity(event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns)
        path, may_write = marked_path(event.path, event.path_cut), event.open_flags & os.O_ACCMODE != os.O_RDONLY
        return self._hold(event.at, process, file, path, event.reasons, may_write=may_write)

    def _found(self, event: FileFound) -> Outcome:
        process = self._world.processes.get(event.pid, event.start_ns)
        if process is None or event.writable:
            return [], []
        file = FileIdentity(event.device, event.inode, event.size, event.mtime_ns, event.ctime_ns)
        return self._hold(event.at, process, file, event.path, event.reasons)

    def _hold(
        self, at: int, process: Process, file: FileIdentity, path: str, reasons: int, *, may_write: bool = False
    ) -> Outcome:
        """A process has a file in its hands; an open of it may have been reported before."""
        known = self._world.files.get(file.device, file.inode)
        workload = self._world.workloads.get(process.workload or "")
        has_read = workload is not None and known is not None and known.key in workload.models
        if known and known.file == file and (has_read or known.awaits(process)):
            return [], []
        return self._read(at, process, file, path, reasons, held=True, may_write=may_write)

    def _read(
        self,
        at: int,
        process: Process,
        file: FileIdentity,
        path: str,
        reasons: int,
        *,
        held: bool = False,
        may_write: bool = False,
    ) -> Outcome:
        """A process reads a candidate, or was found to hold it open."""
        if self._world.files.is_no_model(file):
            return [], [RememberFile(file, is_model=False)]
        contained = self._world.files.contained(file)
        if contained is not None and not self._world.families.does_learning(process):
            return [], []
        entry = self._entry(at, file, path)
        if contained is not None:
            entry.standing, entry.identity, entry.origin = Standing.MODEL, contained.identity, contained.origin
        entry.strong |= bool(reasons & Candidate.STRONG_SUFFIX)
        entry.add_path(path)
        # What an earlier run of ours has counted, and is held open still, is no new open.
        count = 0 if held and entry.opens else 1
        if not self._world.files.admit(entry, process):
            return [], []
        if entry.standing is Standing.PENDING:
            entry.wait(process, at, count, may_write=may_write)
        commands: list[Command] = []
        if entry.standing is not Standing.MODEL and at >= entry.ask_at:
            entry.ask_at = at + ASK_AGAIN_NS
            self._world.files.ask(entry)
            commands += [*self._world.introduce(process), *self._questions(process)]
        if entry.standing is Standing.PENDING or not self._reads_weights(process, entry):
            return [], commands
        used, more = self._use(at, process, entry, count)
        return [used], [*commands, *more]

    def _entry(self, at: int, file: FileIdentity, path: str) -> ModelFile:
        """The entry of a file, with its state brought up to date."""
        entry = self._world.files.get(file.device, file.inode)
        if entry is None or not (entry.file == file or entry.continues_as(file, path)):
            wall_ns = self._world.wall_ns(at)
            entry = ModelFile(file, path, [path], wall_ns, wall_ns)
            self._world.memory.restore_model(entry)
        elif entry.file != file:
            entry.become(file)
        return entry

    def _questions(self, process: Process | None = None) -> list[InspectFile]:
        """What the inspector has room for, in the order of the opens."""
        found = []
        while entry := self._world.files.next_to_ask():
            openers = [one.process for one in entry.waiting] or ([process] if process else [])
            pids = dict.fromkeys(pid for opener in openers for pid in self._ways(opener))
            found.append(InspectFile(entry.file, entry.path, tuple(pids)[:WAYS_MAX]))
        return found

    def _ways(self, process: Process) -> tuple[int, ...]:
        """Processes through whose eyes the path means the same file."""
        near = [process, *self._world.processes.lineage(process)]
        return tuple(one.pid for one in near if one.ended_at is None and one.mount_ns == process.mount_ns)

    def _use(self, at: int, process: Process, entry: ModelFile, count: int) -> tuple[ModelUsed, list[Command]]:
        wall_ns = self._world.wall_ns(at)
        entry.opens += count
        entry.last_seen_ns = max(entry.last_seen_ns, wall_ns)
        self._world.opens[entry.identity.format if entry.identity else "unknown"] += count
        stranger = process.workload is None
        workload = self._world.workloads.of(process, self._world.processes, wall_ns)
        workload.last_seen_ns = max(workload.last_seen_ns, wall_ns)
        first = workload.uses(entry)
        workload.explain(f"weights read: {(entry.identity and entry.identity.name) or entry.path}")
        self._world.changed_workloads.add(workload.id)
        self._world.changed_models[entry.key] = entry
        commands: list[Command] = []
        if stranger and process.ended_at is None:
            commands.append(WatchProcess(process.pid, process.start_ns, watched=True))
        commands += self._world.introduce(process)
        if entry.standing is Standing.MODEL:
            commands += self._hashes.wanted(entry, self._ways(process))
        return ModelUsed(at, workload, process, entry, count, first), commands

    def _reads_weights(self, process: Process, entry: ModelFile) -> bool:
        """What is no model by itself, an array say, is one in the hands of a program that does machine learning."""
        is_generic = entry.identity is not None and entry.identity.generic
        return not is_generic or self._world.families.does_learning(process)

    def _look_again(self, at: int, readers: list[Process]) -> list[FindProcess]:
        """Asks once more about a file that changed under its readers: to touch it must not be a way to hide it.

        Who holds it still is found with the state that it has now. Once in a while only, for logs change for ever.
        """
        due = [one for one in readers if one.ended_at is None and at - one.found_at > LOOK_AGAIN_NS]
        return [FindProcess(one.pid) for one in due[:LOOK_AGAIN_MAX]]

    def _counted(self, event: OpensCounted) -> Outcome | None:
        entry = self._world.files.get(event.device, event.inode)
        process = self._world.processes.get(event.pid, event.start_ns)
        if event.access == os.O_WRONLY or entry is None or process is None or event.ctime_ns not in entry.ctimes:
            return None
        if entry.standing is Standing.PENDING:
            entry.wait(process, event.at, event.count)
            return None
        if not self._reads_weights(process, entry):
            return None
        used, commands = self._use(event.at, process, entry, event.count)
        return [used], commands

    def _inspected(self, event: FileInspected) -> Outcome:
        before = self._world.files.get(event.file.device, event.file.inode)
        waiting = before.waiting if before and before.file == event.file else []
        if before and event.outcome is Inspection.CHANGED and waiting and all(one.may_write for one in waiting):
            before.strong = False  # a download that was opened to be written on: nobody has read weights
        is_generic = event.identity is not None and event.identity.generic
        readers = [one for one in waiting if not is_generic or self._world.families.does_learning(one.process)]
        entry = self._world.files.settle(event, is_wanted=not is_generic or bool(readers))
        commands: list[Command] = [*self._questions()]
        if event.outcome is Inspection.CHANGED:
            commands += self._look_again(event.at, [one.process for one in waiting])
        if event.outcome in {Inspection.MODEL, Inspection.NOT_A_MODEL} and not is_generic:
            commands.append(RememberFile(event.file, is_model=event.outcome is Inspection.MODEL))
        if entry is None:
            commands += [
                WatchProcess(one.process.pid, one.process.start_ns, watched=False)
                for one in waiting
                if before and before.strong and not one.process.workload and one.process.ended_at is None
            ]
            return [], commands
        used = judged_again(self._world, event.at, entry)
        entry.waiting = []
        entry.opens += entry.unattributed
        entry.unattributed = 0
        for one in readers:
            fact, more = self._use(one.at, one.process, entry, one.count)
            used.append(fact)
            commands += more
        return used, commands


def _may_be_weights(event: FileOpened | FileMapped) -> bool:
    """Whether a file may be a model for what it is called or contains, or is large enough for one that is watched."""
    return bool(event.reasons & _LIKE_A_MODEL) or (
        event.size >= WATCHED_MIN_BYTES and bool(event.reasons & Candidate.WATCHED)
    )
