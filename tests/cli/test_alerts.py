"""`modelwarden alerts`."""

import json
from typing import Any

import pytest

from modelwarden.cli import main


def test_json_is_the_contract(seen: Any, an_alert: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts get a list of alerts."""
    seen.alerts(an_alert())
    assert main(["alerts", "--json", "--state-dir", str(seen.directory)]) == 0
    assert json.loads(capsys.readouterr().out) == [an_alert()]


def test_no_alerts_is_an_empty_list(seen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A script gets a list in any case, a person a sentence."""
    seen.alerts()
    main(["alerts", "--json", "--state-dir", str(seen.directory)])
    assert json.loads(capsys.readouterr().out) == []
    main(["alerts", "--state-dir", str(seen.directory)])
    assert capsys.readouterr().out.startswith("No alerts.")


def test_severity_means_this_or_worse(seen: Any, an_alert: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for medium does not want to miss what is high."""
    seen.alerts(an_alert(id="a", severity="low"), an_alert(id="b"), an_alert(id="c", severity="high"))
    main(["alerts", "--json", "--severity", "medium", "--state-dir", str(seen.directory)])
    assert {alert["id"] for alert in json.loads(capsys.readouterr().out)} == {"b", "c"}


def test_list_shows_what_to_look_at(seen: Any, an_alert: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has one row an alert, and how many nobody looked at."""
    seen.alerts(an_alert(id="a"), an_alert(id="b", title="x\n\x1b[31m"))
    main(["alerts", "--state-dir", str(seen.directory)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[2].endswith(r"x\n\x1b[31m")
    assert lines[-1] == "2 alerts (2 open); `modelwarden alerts show ID`"


def test_show_tells_the_whole_story(seen: Any, an_alert: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One page: what, who with its ancestors, which model, when, and what to do."""
    seen.alerts(an_alert(evidence=[{"at": "2026-01-01T00:00:00Z", "what": "opened \x1b]0;x\n"}]))
    assert main(["alerts", "show", "abc", "--state-dir", str(seen.directory)]) == 0
    out = capsys.readouterr().out
    for part in (
        "MEDIUM  A model that nobody approved",
        "alice (logged in as bob)",
        "/usr/bin/bash (6) ← /usr/sbin/sshd (5)",
        "llama, Q4_K_M",
        r"2026-01-01T00:00:00Z  opened \x1b]0;x\n",
        "Ask alice why.",
        "AML.T0010",
    ):
        assert part in out
    assert "\x1b" not in out


def test_show_survives_what_is_unknown(seen: Any, an_alert: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """An alert of which little is known is shown as far as it goes."""
    seen.alerts(an_alert(model=None, process={}, evidence=[], techniques=[], rule="../x"))
    assert main(["alerts", "show", "abc1", "--state-dir", str(seen.directory)]) == 0
    assert "None" not in capsys.readouterr().out


@pytest.mark.parametrize(("action", "status"), [("ack", "acknowledged"), ("close", "closed")])
def test_action_is_kept_with_its_reason(
    seen: Any, an_alert: Any, capsys: pytest.CaptureFixture[str], action: str, status: str
) -> None:
    """What a person did stands in the list and on the page, also after the alert grew."""
    directory = str(seen.directory)
    seen.alerts(an_alert())
    assert main(["alerts", "--state-dir", directory, action, "abc", "--reason", "known test"]) == 0
    seen.alerts(an_alert(count=4))
    capsys.readouterr()
    main(["alerts", "show", "abc1", "--json", "--state-dir", directory])
    assert json.loads(capsys.readouterr().out) == an_alert(count=4, status=status)
    main(["alerts", "show", "abc1", "--state-dir", directory])
    assert ": known test" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["ack", "abc1"],
        ["ack", "abc1", "--reason", "  "],
        ["close", "nope", "--reason", "x"],
        ["show", "nope"],
        ["show"],
        ["drop", "abc1"],
        ["--severity", "huge"],
        ["--since", "yesterday-ish"],
    ],
)
def test_bad_input_is_one_line(
    seen: Any, an_alert: Any, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Wrong input changes nothing, says what is wrong in one line and exits 2."""
    seen.alerts(an_alert())
    assert main(["alerts", "--state-dir", str(seen.directory), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("modelwarden: ")
    assert captured.err.count("\n") == 1
