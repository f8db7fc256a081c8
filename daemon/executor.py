"""Carries out what the core orders; each answer goes back to the loop as events."""

import contextlib
import pwd
from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import structlog

from modelwarden.daemon.command import (
    Announce,
    Command,
    DescribeContainer,
    FindProcess,
    HashFile,
    InspectFile,
    NameUser,
    Raise,
    RememberFile,
    Resync,
    WatchProcess,
)
from modelwarden.daemon.describe import Describer
from modelwarden.daemon.documents import alert_document
from modelwarden.daemon.event import FileHashed, FileInspected, Inspection, UserNamed
from modelwarden.daemon.hashing.hasher import Hasher
from modelwarden.daemon.inspector import Inspector
from modelwarden.daemon.keeper import Keeper
from modelwarden.daemon.lookups import Lookups
from modelwarden.probes.clock import boot_ns
from modelwarden.probes.event import Event
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.sampled.running import Running

log = structlog.get_logger(__name__)

_LEVELS = {"rule_failed": "error", "probe_blind": "error", "probe_not_tried": "warning"}
"""Of what the core announces; everything else is information."""
BATCH = 512
"""Events of a look at the system that are handed over at a time."""


@dataclass(frozen=True, slots=True)
class Children:
    """Those that answer with the help of child programs."""

    inspector: Inspector
    hasher: Hasher
    describer: Describer


class Executor:
    """Lives on the loop's thread; what may block it hands to workers, whose last act is to hand back events."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        children: Children,
        keeper: Keeper,
        running: Running,
        loop: AbstractEventLoop,
        put: Callable[[list[Event]], None],
    ) -> None:
        self._kernel = kernel
        self._children = children
        self._keeper = keeper
        self._running = running
        self._loop = loop
        self._put = put
        self._names = Lookups("names")
        self._system = Lookups("system")
        self._scanning = False
        self._scan_again = False
        self.refusals = 0
        """Orders that a kernel table had no room for."""

    def carry_out(self, command: Command) -> None:  # noqa: C901, PLR0912 - one case for each command there is
        """Does it, or begins to; never waits."""
        match command:
            case InspectFile():
                if not self._children.inspector.submit(command):
                    self._refuse(command)
            case WatchProcess():
                self._tell_kernel(lambda: self._kernel.watch(command.pid, command.start_ns, watched=command.watched))
            case RememberFile():
                file = command.file
                key = (file.device, file.inode, file.size, file.ctime_ns)
                self._tell_kernel(lambda: self._kernel.remember(*key, is_model=command.is_model))
            case NameUser():
                self._ask(self._names, lambda: [UserNamed(boot_ns(), command.uid, _user_name(command.uid))])
            case FindProcess():
                self._ask(self._system, lambda: self._running.one(boot_ns(), command.pid))
            case Resync():
                log.warning("resync", reason=command.reason)
                self.scan()
            case Raise():
                self._raise(command)
            case Announce():
                level = _LEVELS.get(command.message, "info")
                getattr(log, level)(command.message, **dict(command.fields))
            case HashFile():
                if not self._children.hasher.submit(command):
                    self._refuse(command)
            case DescribeContainer():
                self._children.describer.submit(command)
            case _:
                assert_never(command)

    def scan(self) -> None:
        """Begins a look at the whole system; while one is under way, another one follows it."""
        self._scan_again = self._scanning
        if not self._scanning:
            self._scanning = True
            self._system.submit(self._scan)

    def close(self) -> None:
        """Lets the workers go; what they are at no longer matters."""
        self._names.close()
        self._system.close()

    def _refuse(self, command: InspectFile | HashFile) -> None:
        """Answers for who has no room, so that nobody waits for ever."""
        at, file = boot_ns(), command.file
        if isinstance(command, HashFile):
            answer: Event = FileHashed(at, file, None, "too many files wait to be hashed; a later use asks again")
        else:
            reason = "too many files were opened at once to look into this one; the next open asks again"
            answer = FileInspected(at, file, Inspection.UNREADABLE, None, reason)
        self._loop.call_soon(self._put, [answer])

    def _raise(self, command: Raise) -> None:
        alert = command.alert
        self._keeper.add_alert(alert_document(alert))
        self._keeper.flush()
        if command.is_new:
            what = alert.evidence[-1].what
            log.warning("alert", severity=alert.severity.value, rule=alert.rule, id=alert.id, what=what)

    def _scan(self) -> None:
        batch: list[Event] = []
        try:
            for event in self._running.sample(boot_ns()):
                batch.append(event)
                if len(batch) >= BATCH:
                    self._hand_over(batch)
                    batch = []
        except OSError as error:
            log.warning("scan_failed", reason=str(error), next_step="is /proc mounted?")
        self._hand_over(batch)
        if self._running.problem is not None:
            log.warning("scanned_proc", reason=self._running.problem, next_step="see the kernel log (dmesg)")
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._scanned)

    def _scanned(self) -> None:
        self._scanning = False
        if self._scan_again:
            self.scan()

    def _ask(self, worker: Lookups, look: Callable[[], list[Event]]) -> None:
        worker.submit(lambda: self._hand_over(look()))

    def _hand_over(self, events: list[Event]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._put, events)

    def _tell_kernel(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except OSError as error:
            self.refusals += 1
            if self.refusals == 1:
                log.warning("kernel_table_full", reason=str(error), next_step="rows leave when processes end")


def _user_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return None
