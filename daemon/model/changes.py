"""What becomes of files that matter: models that are renamed or removed, files that a policy names."""

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from modelwarden.daemon.command import Announce, Command
from modelwarden.daemon.documents import user_name
from modelwarden.daemon.event import Stopping, UserNamed
from modelwarden.daemon.model.files import FileKey, ModelFile, Standing
from modelwarden.daemon.model.processes import Process, ProcessKey, marked_path
from modelwarden.daemon.model.world import Handlers, Outcome, World
from modelwarden.probes.candidate import TAMPER_TARGETS, Candidate
from modelwarden.probes.kernel.file_change import Change, FileChanged
from modelwarden.probes.kernel.file_map import FileMapped
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.sampled.procfs import FileFound
from modelwarden.probes.sampled.tick import Tick

PATHS_LIMIT = 16_384
WINDOW_NS = 60 * 1_000_000_000
LINES_MAX = 30
"""Different changes by one user that are told in a minute, of named files and of models each; of the rest only how
many there were."""
USERS_MAX = 1_024
"""Users whose lines are counted each for himself; all further ones share."""
_OTHERS = -1

Place = tuple[int, str]
"""(mount namespace, path): a path means nothing without."""


@dataclass(slots=True)
class Line:
    """One change that is worth a line, and how often it was repeated since."""

    process: Process
    action: str
    path: str
    source: str
    model: str | None
    is_named: bool
    """A policy names the file, or the one that it replaces."""
    repeated: int = 0


@dataclass(slots=True)
class Window:
    """A minute of one user's changes: nobody fills the log, or uses up what others may say in it."""

    begun_at: int
    lines: dict[tuple[ProcessKey, str, str], Line] = field(default_factory=dict)
    omitted: int = 0


class Changes:
    """A part of the model: the facts that it takes, and what it makes of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._places: OrderedDict[Place, FileKey] = OrderedDict()
        self._windows: dict[tuple[int, bool], Window] = {}
        self._unnamed: list[Line] = []
        self.evicted = 0

    def handlers(self) -> Handlers:
        """Who takes which fact; those about models come after the part that knows them."""
        return {
            FileChanged: self._changed,
            FileOpened: self._opened,
            FileMapped: self._mapped,
            FileFound: self._found,
            UserNamed: self._user_named,
            Tick: self._tick,
            Stopping: self._stopping,
        }

    # ---- where models lie ----------------------------------------------------------------------------

    def _opened(self, event: FileOpened) -> Outcome | None:
        self._lies((event.mount_ns, marked_path(event.path, event.path_cut)), (event.device, event.inode))
        if not _is_named(event.reasons, event.path):
            return None
        process = self._world.processes.actor(event)
        action = "create" if event.created else "write"
        path = marked_path(event.path, event.path_cut)
        return [], self._tell(event.at, Line(process, action, path, "", None, is_named=True))

    def _mapped(self, event: FileMapped) -> None:
        self._lies((event.mount_ns, marked_path(event.path, event.path_cut)), (event.device, event.inode))

    def _found(self, event: FileFound) -> None:
        process = self._world.processes.get(event.pid, event.start_ns)
        if process is not None:
            self._lies((process.mount_ns, event.path), (event.device, event.inode))

    def _lies(self, place: Place, key: FileKey) -> None:
        """Notes where a model lies, for those changes that tell a name only."""
        if self._world.files.get(*key) is None:
            self._places.pop(place, None)
            return
        self._places[place] = key
        self._places.move_to_end(place)
        if len(self._places) > PATHS_LIMIT:
            self._places.popitem(last=False)
            self.evicted += 1

    # ---- changes -------------------------------------------------------------------------------------

    def _changed(self, event: FileChanged) -> Outcome:
        process, change = self._world.processes.actor(event), Change(event.action)
        path = marked_path(event.path, event.path_cut)
        source = marked_path(event.source, event.source_cut) if event.source else ""
        here, before = (event.mount_ns, path), (event.mount_ns, source)
        has_two = change in {Change.RENAME, Change.EXCHANGE, Change.LINK}
        is_new = change is Change.SYMLINK
        changed = None if is_new else self._file(event.device, event.inode, before if has_two else here)
        if changed is not None and event.inode and change is not Change.TRUNCATE and not _is_as_known(changed, event):
            changed = None  # its number is that of a file that is no more
        other = self._file(event.other_device, event.other_inode, here) if has_two else None
        models = [entry for entry in (changed, other) if entry is not None and is_known(entry)]
        self._follow(change, here, before, changed, other)
        is_named = _is_named(event.reasons, path, source)
        if not models and not is_named:
            return [], []
        line = Line(process, change.name.lower(), path, source, _name(models[0]) if models else None, is_named=is_named)
        return [], self._tell(event.at, line)

    def _file(self, device: int, inode: int, place: Place) -> ModelFile | None:
        """The entry of a file by its number, else by the name that it was last seen under."""
        key = (device, inode) if inode else self._places.get(place)
        return self._world.files.get(*key) if key else None

    def _follow(
        self, change: Change, here: Place, before: Place, changed: ModelFile | None, other: ModelFile | None
    ) -> None:
        """The names go where the files went. An open finds the same entry again: size and content did not change."""
        match change:
            case Change.RENAME | Change.EXCHANGE:
                self._moves(before, other if change is Change.EXCHANGE else None)
                self._moves(here, changed)
            case Change.LINK if changed is not None:
                self._lies(here, changed.key)
            case Change.UNLINK | Change.SYMLINK:
                self._places.pop(here, None)
            case _:
                pass

    def _moves(self, place: Place, entry: ModelFile | None) -> None:
        """A name is now that of a file, or of none that is known."""
        if entry is None:
            self._places.pop(place, None)
            return
        entry.add_path(place[1])
        self._lies(place, entry.key)
        if is_known(entry):
            self._world.changed_models[entry.key] = entry

    # ---- telling -------------------------------------------------------------------------------------

    def _tell(self, at: int, line: Line) -> list[Command]:
        """Each change once a minute; repetitions, and what is too much, are counted and told when it is over."""
        process = line.process
        # Who renames models all the time must not thereby hide what becomes of a named file.
        which = process.uid, line.is_named
        if which not in self._windows and len(self._windows) >= USERS_MAX:
            which = _OTHERS, line.is_named
        window = self._windows.setdefault(which, Window(at))
        key = (process.key, line.action, line.path)
        if told := window.lines.get(key):
            told.repeated += 1
            return []
        if len(window.lines) >= LINES_MAX:
            window.omitted += 1
            return []
        window.lines[key] = line
        asked = self._world.ask_names(process)
        if {process.uid, process.login_uid} & self._world.naming:
            self._unnamed.append(line)
            return [*asked]
        return [*asked, self._announce(line)]

    def _announce(self, line: Line, *more: tuple[str, str | int | None]) -> Announce:
        process, users = line.process, self._world.users
        return Announce(
            "file_changed",
            (
                ("action", line.action),
                ("path", line.path),
                ("source", line.source or None),
                ("model", line.model),
                ("exe", process.path),
                ("pid", process.pid),
                ("user", user_name(users, process.uid)),
                ("login_user", user_name(users, process.login_uid)),
                ("workload", process.workload),
                *more,
            ),
        )

    def _user_named(self, _event: UserNamed) -> Outcome:
        """What waited for nothing but this name."""
        naming, waiting = self._world.naming, self._unnamed
        self._unnamed = [one for one in waiting if {one.process.uid, one.process.login_uid} & naming]
        return [], [self._announce(one) for one in waiting if not {one.process.uid, one.process.login_uid} & naming]

    def _tick(self, event: Tick) -> Outcome:
        return [], self._close([which for which, one in self._windows.items() if event.at - one.begun_at >= WINDOW_NS])

    def _stopping(self, _event: Stopping) -> Outcome:
        return [], self._close(list(self._windows))

    def _close(self, windows: list[tuple[int, bool]]) -> list[Command]:
        """What waits for a name is told without it; of the minutes that are over, what was only counted."""
        said: list[Command] = [self._announce(one) for one in self._unnamed]
        self._unnamed = []
        for which in windows:
            window, uid = self._windows.pop(which), which[0]
            said += [self._announce(one, ("repeated", one.repeated)) for one in window.lines.values() if one.repeated]
            if window.omitted:
                name = None if uid == _OTHERS else user_name(self._world.users, uid)
                said.append(Announce("file_changes_omitted", (("user", name), ("count", window.omitted))))
        return said


def is_known(entry: ModelFile) -> bool:
    """Whether it is, or was before it changed, a model; not one that is only asked about."""
    return entry.identity is not None or entry.standing is Standing.UNKNOWN


def _is_as_known(entry: ModelFile, event: FileChanged) -> bool:
    """Whether its content is the one that was looked at, by all signs."""
    return (entry.file.size, entry.file.mtime_ns) == (event.size, event.mtime_ns)


def _name(entry: ModelFile) -> str:
    return (entry.identity and entry.identity.name) or PurePosixPath(entry.path).name


def _is_named(reasons: int, *paths: str) -> bool:
    """Whether a policy names one of them: the kernel compares the ends of names only."""
    return bool(reasons & Candidate.NAMED_FILE) and any(path.rpartition("/")[2] in TAMPER_TARGETS for path in paths)
