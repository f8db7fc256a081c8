"""The table of files that are, or may be, models: what each is, who waits for the answer, how often it was opened."""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto

from modelwarden.daemon.event import FileIdentity, FileInspected, Inspection
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.model.processes import Process

LIMIT = 16_384
NO_MODELS_LIMIT = 4_096
PATHS_MAX = 16
WAITING_MAX = 64
"""Distinct processes that wait for one inspection; the opens of further ones are still counted."""


class Standing(Enum):
    """What is known of a file."""

    PENDING = auto()
    """Asked, not answered."""
    MODEL = auto()
    UNKNOWN = auto()
    """Called like a model, but nobody could look into it: it stands with a reason."""


@dataclass(slots=True)
class Waiting:
    """An open that came before the answer."""

    process: Process
    at: int
    count: int


@dataclass(slots=True)
class ModelFile:
    """One file, one entry, by (device, inode)."""

    file: FileIdentity
    path: str
    """The last that was opened."""
    paths: list[str]
    first_seen_ns: int
    """Wall clock."""
    last_seen_ns: int
    ask_at: int = 0
    """From when on (boot nanoseconds) an open asks the inspector again, unless it is known to be a model."""
    strong: bool = False
    """Called like a model."""
    standing: Standing = Standing.PENDING
    identity: Identity | None = None
    reason: str | None = None
    opens: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    unattributed: int = 0
    """Opens of processes that found no room in `waiting`."""

    @property
    def key(self) -> tuple[int, int]:
        """Which file, whatever its content."""
        return self.file.device, self.file.inode

    def continues_as(self, file: FileIdentity, path: str) -> bool:
        """Whether a new state is this file's, written again or renamed, or another file under its number."""
        unchanged = (self.file.size, self.file.mtime_ns) == (file.size, file.mtime_ns)
        return unchanged or path in self.paths

    def awaits(self, process: Process) -> bool:
        """Whether an open of that process waits for the answer."""
        return any(one.process is process for one in self.waiting)

    def add_path(self, path: str) -> None:
        """The path of the latest open, last in the list; the oldest leave."""
        if self.paths and self.paths[-1] == path == self.path:
            return
        self.path = path
        if path in self.paths:
            self.paths.remove(path)
        self.paths = [*self.paths, path][-PATHS_MAX:]

    def wait(self, process: Process, at: int, count: int) -> None:
        """Remembers an open until the answer comes."""
        for one in self.waiting:
            if one.process is process:
                one.count += count
                return
        if len(self.waiting) < WAITING_MAX:
            self.waiting.append(Waiting(process, at, count))
        else:
            self.unattributed += count


class Files:
    """At most `LIMIT` files; the one that was opened longest ago leaves first, and is counted."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._table: OrderedDict[tuple[int, int], ModelFile] = OrderedDict()
        self._no_models: OrderedDict[FileIdentity, None] = OrderedDict()
        self.evicted = 0

    def get(self, device: int, inode: int) -> ModelFile | None:
        """The entry of a file, whatever its state."""
        return self._table.get((device, inode))

    def is_no_model(self, file: FileIdentity) -> bool:
        """Whether the inspector said so of this very state."""
        return file in self._no_models

    def touch(self, entry: ModelFile) -> None:
        """Makes an entry the most recent one, adding it when it is new."""
        self._table[entry.key] = entry
        self._table.move_to_end(entry.key)
        while len(self._table) > self._limit:
            self._table.popitem(last=False)
            self.evicted += 1

    def settle(self, event: FileInspected) -> ModelFile | None:
        """The entry with the answer in it; `None` when the file is no model, or nobody asks any more."""
        entry = self._table.get((event.file.device, event.file.inode))
        if event.outcome is Inspection.NOT_A_MODEL:
            self._no_models[event.file] = None
            if len(self._no_models) > NO_MODELS_LIMIT:
                self._no_models.popitem(last=False)
        if entry is None or entry.file != event.file:
            return None
        if event.outcome is Inspection.MODEL:
            entry.standing, entry.identity, entry.reason = Standing.MODEL, event.identity, None
            return entry
        if entry.strong and event.outcome is not Inspection.NOT_A_MODEL:
            entry.standing, entry.identity, entry.reason = Standing.UNKNOWN, None, event.reason
            return entry
        del self._table[entry.key]
        return None

    def __len__(self) -> int:
        return len(self._table)
