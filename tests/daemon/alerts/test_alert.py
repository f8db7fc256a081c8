"""What an alert is."""

from dataclasses import FrozenInstanceError

import pytest
from tests.rows import alert

from modelwarden.daemon.alerts.alert import Alert, Severity, Status


def test_severities_are_those_of_the_contract() -> None:
    """Scripts rely on their names and on their order, least first."""
    assert [one.value for one in Severity] == ["informational", "low", "medium", "high", "critical"]
    assert [one.value for one in Status] == ["open", "acknowledged", "closed"]


def test_alert_does_not_change() -> None:
    """What was handed to another thread stays as it was."""
    one = alert()
    with pytest.raises(FrozenInstanceError):
        one.count = 2  # type: ignore[misc]
    assert not hasattr(one, "__dict__")
    assert Alert.__match_args__[0] == "id"
