"""Alerts of an earlier run."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit import NOW_WALL, SECOND
from tests.rows import alert

from modelwarden.daemon.alerts.alert import Severity
from modelwarden.daemon.alerts.recall import recall_alerts
from modelwarden.daemon.documents import alert_document


def stored(**more: Any) -> dict[str, Any]:
    """An alert as the state gives it back."""
    document: dict[str, Any] = json.loads(json.dumps({**alert_document(alert("a-1", "one", "two")), **more}))
    return document


@given(
    count=st.integers(1, 1 << 40),
    seconds=st.integers(0, 10**9),
    tier=st.none() | st.text(max_size=5),
    severity=st.sampled_from(Severity),
)
def test_alert_comes_back_as_it_was(count: int, seconds: int, tier: str | None, severity: Severity) -> None:
    """Whatever an alert says, the state gives it back unchanged, to the microsecond."""
    one = alert("a-1", "first", "second", at_ns=seconds * SECOND + 1_000, count=count, tier=tier, severity=severity)
    assert recall_alerts([json.loads(json.dumps(alert_document(one)))]) == [one]


def test_alerts_come_oldest_first() -> None:
    """So the latest are those that a full table keeps."""
    documents = [alert_document(alert(f"a-{second}", at_ns=NOW_WALL + second * SECOND)) for second in (2, 0, 1)]
    assert [one.id for one in recall_alerts(documents)] == ["a-0", "a-1", "a-2"]


@pytest.mark.parametrize("key", sorted(stored().keys() - {"status"}))
def test_incomplete_alert_is_passed_over(key: str) -> None:
    """What lacks a part is no alert, and the others are not lost with it."""
    damaged = stored()
    del damaged[key]
    assert [one.id for one in recall_alerts([damaged, stored()])] == ["a-1"]


@pytest.mark.parametrize(
    "damaged",
    [
        stored(severity="dire"),
        stored(count="many"),
        stored(count=float("inf")),
        stored(first_seen="yesterday"),
        stored(last_seen=None),
        stored(evidence=[{"at": "x", "what": "y"}]),
        stored(evidence=["x"]),
        stored(process=7),
        [],
        "text",
        None,
    ],
    ids=lambda one: type(one).__name__,
)
def test_damaged_alert_is_passed_over(damaged: Any) -> None:
    """A state that somebody edited is no reason to fail."""
    assert [one.id for one in recall_alerts([damaged, stored()])] == ["a-1"]
