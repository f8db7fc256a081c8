"""The table of files that are, or may be, models: what each is, who waits for the answer, how often it was opened."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto

from modelwarden.daemon.event import FileIdentity, FileInspected, Inspection
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.model.processes import Process, ProcessKey

LIMIT = 16_384
NO_MODELS_LIMIT = 4_096
PENDING_LIMIT = 8_192
PENDING_SHARE = 1_024
"""Files of one process that may wait for an answer: a process that opens junk by the thousand crowds nobody out."""
ASKED_MAX = 512
"""Questions that are open at a time; the inspector has room for more."""
PATHS_MAX = 16
EARLIER_MAX = 4
WAITING_MAX = 64
"""Distinct processes that wait for one inspection; the opens of further ones are still counted."""


FileKey = tuple[int, int]
"""(device, inode)."""


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
    may_write: bool = False
    """It was opened for writing too."""


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
    origin: Source | None = None
    """Where the store in which it lies says that it came from."""
    sha256: str | None = None
    """Of the content, as we have summed it up."""
    hash_pending: bool = False
    """Whether the sum is being taken: it may come, or turn out not to be had."""
    opens: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    earlier_ctimes: tuple[int, ...] = ()
    charged_to: ProcessKey | None = None
    """Whose share of the waiting room it takes."""
    unattributed: int = 0
    """Opens of processes that found no room in `waiting`."""

    @property
    def key(self) -> FileKey:
        """Which file, whatever its content."""
        return self.file.device, self.file.inode

    @property
    def ctimes(self) -> tuple[int, ...]:
        """Of the state that it is in, and of those before: opens of them may still be counted."""
        return (self.file.ctime_ns, *self.earlier_ctimes)

    def become(self, file: FileIdentity) -> None:
        """Takes another state, which nobody has looked into."""
        self.earlier_ctimes = (self.file.ctime_ns, *self.earlier_ctimes)[:EARLIER_MAX]
        self.file, self.standing, self.ask_at = file, Standing.PENDING, 0
        self.origin, self.sha256, self.hash_pending = None, None, False

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

    def wait(self, process: Process, at: int, count: int, *, may_write: bool = False) -> None:
        """Remembers an open until the answer comes."""
        for one in self.waiting:
            if one.process is process:
                one.count += count
                one.may_write &= may_write
                return
        if len(self.waiting) < WAITING_MAX:
            self.waiting.append(Waiting(process, at, count, may_write))
        else:
            self.unattributed += count


class Files:
    """Two bounded tables: what is known to matter, what waits for an answer.

    So a flood of the latter costs nothing of the former. What finds no room, or leaves, is counted.
    """

    def __init__(self, limit: int = LIMIT, pending_limit: int = PENDING_LIMIT, share: int = PENDING_SHARE) -> None:
        self._limit = limit
        self._pending_limit = pending_limit
        self._share = share
        self._known: OrderedDict[FileKey, ModelFile] = OrderedDict()
        self._pending: dict[FileKey, ModelFile] = {}
        self._shares: Counter[ProcessKey] = Counter()
        self._unasked: OrderedDict[FileKey, None] = OrderedDict()
        self._asked: set[FileIdentity] = set()
        self._no_models: OrderedDict[FileIdentity, None] = OrderedDict()
        self._contained: OrderedDict[FileIdentity, FileInspected] = OrderedDict()
        self.evicted = 0

    def get(self, device: int, inode: int) -> ModelFile | None:
        """The entry of a file, whatever its state."""
        return self._pending.get((device, inode)) or self._known.get((device, inode))

    def bury(self, device: int, inode: int) -> None:
        """Lets go of what was known of a file that is no more: its number was given to a new one."""
        self._known.pop((device, inode), None)

    def contained(self, file: FileIdentity) -> FileInspected | None:
        """What the inspector said of this very state, of a file that is no model by itself."""
        return self._contained.get(file)

    def is_no_model(self, file: FileIdentity) -> bool:
        """Whether the inspector said so of this very state."""
        return file in self._no_models

    def admit(self, entry: ModelFile, process: Process) -> bool:
        """Makes an entry the most recent one, adding it when it is new; false when there is no room to wait in."""
        if entry.standing is not Standing.PENDING:
            self._pending.pop(entry.key, None)
            self._know(entry)
            return True
        waits = self._pending.get(entry.key)
        if waits is not entry:
            if waits is not None:
                self._forget(waits)
            if len(self._pending) >= self._pending_limit or self._shares[process.key] >= self._share:
                self.evicted += 1
                return False
            self._known.pop(entry.key, None)
            self._pending[entry.key] = entry
            entry.charged_to = process.key
            self._shares[process.key] += 1
        return True

    def ask(self, entry: ModelFile) -> None:
        """Puts an entry in line for the inspector."""
        if entry.file not in self._asked:
            self._unasked[entry.key] = None

    def next_to_ask(self) -> ModelFile | None:
        """The entry to ask about now, `None` when enough questions are open or nobody is in line."""
        while self._unasked and len(self._asked) < ASKED_MAX:
            entry = self.get(*self._unasked.popitem(last=False)[0])
            if entry is not None and entry.file not in self._asked:
                self._asked.add(entry.file)
                return entry
        return None

    def settle(self, event: FileInspected, *, is_wanted: bool = True) -> ModelFile | None:
        """The entry with the answer in it; `None` when the file is no model, or nobody asks any more.

        A model that is none by itself is not `is_wanted` while no program has read it that does machine learning.
        """
        self._asked.discard(event.file)
        if event.outcome is Inspection.NOT_A_MODEL:
            self._no_models[event.file] = None
            if len(self._no_models) > NO_MODELS_LIMIT:
                self._no_models.popitem(last=False)
        elif event.identity is not None and event.identity.generic:
            self._contained[event.file] = event
            if len(self._contained) > NO_MODELS_LIMIT:
                self._contained.popitem(last=False)
        entry = self.get(event.file.device, event.file.inode)
        if entry is None or entry.file != event.file:
            return None
        self._forget(entry)
        if not is_wanted:
            return None
        if event.outcome is Inspection.MODEL:
            entry.standing, entry.identity, entry.reason = Standing.MODEL, event.identity, None
            entry.origin = event.origin
        elif entry.strong and event.outcome is not Inspection.NOT_A_MODEL:
            entry.standing, entry.identity, entry.reason = Standing.UNKNOWN, None, event.reason
        else:
            return None
        self._know(entry)
        return entry

    def _know(self, entry: ModelFile) -> None:
        self._known[entry.key] = entry
        self._known.move_to_end(entry.key)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
            self.evicted += 1

    def _forget(self, entry: ModelFile) -> None:
        self._known.pop(entry.key, None)
        self._unasked.pop(entry.key, None)
        if self._pending.pop(entry.key, None) is not None and entry.charged_to is not None:
            self._shares[entry.charged_to] -= 1
            if not self._shares[entry.charged_to]:
                del self._shares[entry.charged_to]

    def __len__(self) -> int:
        return len(self._known) + len(self._pending)
