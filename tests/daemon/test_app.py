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
        if event == opened():
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
        app._put([executed(), opened(), tick()])

    assert core.told == [executed(), opened(), tick()]
    assert [(one["event"], one["kind"]) for one in logs] == [("event_failed", "FileOpened")]
    assert app._inbox.losses(NOW) == [EventsLost(NOW, "core", "file_open", 1)]


def test_a_state_belongs_to_one_app(app: App, tmp_path: Path) -> None:
    """Given an app, then a second one on the same state says whose it is."""
    with pytest.raises(StateError, match=r"pid|process"):
        App(Settings(Config(), None, tmp_path / "state"), Future())
