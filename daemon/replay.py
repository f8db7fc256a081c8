"""Thinks again about what a journal holds: the census and the alerts that a daemon would have stored."""

import json

from modelwarden.daemon.alerts.alert import Status
from modelwarden.daemon.census import Census
from modelwarden.daemon.command import Raise
from modelwarden.daemon.documents import alert_document
from modelwarden.daemon.event import Remembered
from modelwarden.daemon.journal import JournalError
from modelwarden.daemon.journal_file import JournalFile
from modelwarden.daemon.pipeline import Core
from modelwarden.daemon.printable import json_text
from modelwarden.daemon.snapshot import Document
from modelwarden.daemon.state import Limits
from modelwarden.daemon.times import to_rfc3339
from modelwarden.probes.event import Event

SLACK = 1_000
"""Rows above the limit of a table before the oldest leave: to find them takes a look at all."""


class Replay:
    """A core with the rows that it has given so far; no root, no clock, no disk.

    Two things are not in a journal: what people did about alerts meanwhile, and what the disk refused.
    """

    def __init__(self, core: Core, limits: Limits | None = None) -> None:
        self._core = core
        self._census = Census()
        self._limits = limits or Limits()
        self._models: dict[str, Document] = {}
        self._workloads: dict[str, Document] = {}
        self._alerts: dict[str, Document] = {}
        self._generated_at: str | None = None
        self.failed = 0
        """Events that the core could not think about: our mistake, or a journal that somebody made up."""

    def hear(self, event: Event) -> None:
        """Takes the next event of the journal. Raises `JournalError` when it cannot have happened."""
        try:
            commands = self._core.step(event)
        except Exception:  # noqa: BLE001 - as in the daemon: what cannot be thought about costs one event
            commands = []
            self.failed += 1
        world = self._core.world
        try:
            for command in commands:
                if isinstance(command, Raise):
                    self._alerts[command.alert.id] = alert_document(command.alert)
            if isinstance(event, Remembered):
                self._remember(event)
            if rows := self._census.after(event, world):
                self._keep(*rows, to_rfc3339(world.wall_ns(event.at)))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise JournalError(f"nothing like this can have happened ({error!r}): the file was edited") from error
        _trim(self._alerts, self._limits.alerts, SLACK)

    def alerts(self) -> list[Document]:
        """As `alerts --json` has them."""
        _trim(self._alerts, self._limits.alerts)
        return _stored(self._alerts)

    def census(self) -> Document:
        """As `census --json` has it."""
        _trim(self._models, self._limits.models)
        _trim(self._workloads, self._limits.workloads)
        head = {"host_id": self._core.world.host_id, "generated_at": self._generated_at}
        return {**head, "workloads": _stored(self._workloads), "models": _stored(self._models)}

    def _keep(self, models: list[tuple[str, Document]], workloads: list[Document], as_of: str) -> None:
        self._generated_at = as_of
        self._models.update(models)
        self._workloads.update((one["id"], one) for one in workloads)
        _trim(self._models, self._limits.models, SLACK)
        _trim(self._workloads, self._limits.workloads, SLACK)

    def _remember(self, event: Remembered) -> None:
        """What was stored already; nobody runs yet, as far as known."""
        self._models.update(event.models)
        self._workloads.update((str(one["id"]), {**one, "running": False}) for one in event.workloads)
        self._alerts.update((str(one["id"]), one) for one in event.alerts)


def replay(journal: JournalFile, core: Core) -> Replay:
    """All of a journal, thought through. Raises `JournalError`."""
    done = Replay(core)
    for number, event in journal.events():
        try:
            done.hear(event)
        except JournalError as error:
            raise JournalError(f"{journal.path}, line {number}: {error}") from error
    return done


def _stored(documents: dict[str, Document]) -> list[Document]:
    """Latest first, then by key, and as they come back from the state."""
    keys = sorted(documents)
    keys.sort(key=lambda key: _last_seen(documents[key]), reverse=True)
    return [json.loads(json_text(documents[key])) for key in keys]


def _trim(documents: dict[str, Document], limit: int, slack: int = 0) -> None:
    """The state's own limits: those seen longest ago leave, of the alerts those that are closed."""
    surplus = len(documents) - limit
    if surplus <= slack:
        return
    by_age = sorted(
        documents, key=lambda key: (documents[key].get("status") != Status.CLOSED, _last_seen(documents[key]))
    )
    for key in by_age[:surplus]:
        del documents[key]


def _last_seen(document: Document) -> str:
    return str(document.get("last_seen") or "")
