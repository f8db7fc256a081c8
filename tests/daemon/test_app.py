"""The shell's own decisions; what it does with a kernel and a disk is shown by the running daemon."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.kit import NOW, executed, opened, tick

from modelwarden.daemon.app import App, Settings
from modelwarden.daemon.command import Command
from modelwarden.daemon.config import Config
from modelwarden.daemon.event import PolicyLoaded, Remembered, Started
from modelwarden.daemon.journal import JournalError
from modelwarden.daemon.journal_file import JournalFile
from modelwarden.daemon.state_schema import StateError
from modelwarden.probes.event import Event, EventsLost


class Core:
    """Fails on opens, and remembers what it was told."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.told: list[Event] = []

    def step(self, event: Event) -> list[Command]:
        """As `Core`."""
        self.told.append(event)
        if event == opened(cgroup=0):
            raise ZeroDivisionError
        return []


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An app whose kernel side never comes up."""
    made = App(Settings(Config(), None, tmp_path / "state"), Future())
    yield made
    made._keeper.close(5)


def test_a_mistake_costs_one_event(app: App) -> None:
    """Given a core that fails on one event, then the others are thought about and that one is counted as lost."""
    core = Core(app._core.world)
    app._core = core  # type: ignore[assignment]
    with capture_logs() as logs:
        app._put([executed(cgroup=0), opened(cgroup=0), tick()])

    assert core.told == [executed(cgroup=0), opened(cgroup=0), tick()]
    assert [(one["event"], one["kind"]) for one in logs] == [("event_failed", "FileOpened")]
    assert app._inbox.losses(NOW) == [EventsLost(NOW, "core", "file_open", 1)]


def test_a_state_belongs_to_one_app(app: App, tmp_path: Path) -> None:
    """Given an app, then a second one on the same state says whose it is."""
    with pytest.raises(StateError, match=r"pid|process"):
        App(Settings(Config(), None, tmp_path / "state"), Future())


def test_what_is_thought_about_is_recorded_before(tmp_path: Path) -> None:
    """Given a recording, then an event that the core fails on is in the journal too."""
    made = App(Settings(Config(), None, tmp_path / "state", tmp_path / "a.jsonl"), Future())
    made._recollect()
    made._core = Core(made._core.world)  # type: ignore[assignment]
    with capture_logs():
        made._put([executed(cgroup=0), opened(cgroup=0), tick()])
    made._close_files()

    found = [event for _, event in JournalFile(tmp_path / "a.jsonl").events()]
    assert [type(event) for event in found[:3]] == [Started, Remembered, PolicyLoaded]
    assert found[3:] == [executed(cgroup=0), opened(cgroup=0), tick()]


def test_a_journal_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Before anything begins, and the state is left for the next one."""
    (tmp_path / "a.jsonl").write_text("old")
    with pytest.raises(JournalError, match="exists"):
        App(Settings(Config(), None, tmp_path / "state", tmp_path / "a.jsonl"), Future())
    assert not (tmp_path / "state").exists()
