"""The base of every fact."""

from dataclasses import FrozenInstanceError

import pytest

from modelwarden.probes.event import Event, EventsLost


def test_fact_does_not_change() -> None:
    """What happened has happened."""
    lost = EventsLost(5, "ring", "file_open", 3)
    assert isinstance(lost, Event)
    with pytest.raises(FrozenInstanceError):
        lost.count = 4  # type: ignore[misc]
    assert not hasattr(lost, "__dict__")
    assert lost == EventsLost(5, "ring", "file_open", 3)
