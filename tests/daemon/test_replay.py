"""Thinking a journal through again."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import journals, made_up
from tests.kit import (
    DEVICE,
    MODEL,
    NOW,
    NOW_WALL,
    PID,
    SECOND,
    executed,
    exited,
    inode_of,
    is_model,
    opened,
    policy_loaded,
    remembered,
    resynced,
    started,
    tick,
    user_named,
)

from modelwarden.daemon.event import Stopping
from modelwarden.daemon.journal import JournalError
from modelwarden.daemon.journal_file import JournalFile
from modelwarden.daemon.pipeline import Core
from modelwarden.daemon.replay import Replay, replay
from modelwarden.daemon.rules.unapproved_model import RULE
from modelwarden.daemon.snapshot import Document
from modelwarden.daemon.state import Limits
from modelwarden.daemon.times import to_rfc3339
from modelwarden.probes.event import Event

BEGINNING = (started(), remembered(), policy_loaded())
READ = (user_named(), executed(), opened(), is_model(), tick(NOW + SECOND))


def heard(*events: Event, limits: Limits | None = None) -> Replay:
    """A replay of these."""
    done = Replay(Core([RULE]), limits)
    for event in events:
        done.hear(event)
    return done


def ids(documents: Iterable[Document]) -> list[Any]:
    """What they are called."""
    return [one["id"] for one in documents]


def test_it_gives_the_census_as_of_the_last_tick() -> None:
    """What came behind the last tick was not stored either."""
    census = heard(*BEGINNING, *READ, opened("/m/late.gguf"), is_model("/m/late.gguf")).census()

    assert (census["host_id"], census["generated_at"]) == ("host", to_rfc3339(NOW_WALL + SECOND))
    assert [one["path"] for one in census["models"]] == [MODEL]
    assert [(one["exe"], one["user"], one["running"]) for one in census["workloads"]] == [
        ("/usr/bin/llama", "alice", True)
    ]


def test_it_gives_the_alerts_as_they_were_told_last() -> None:
    """Given an alert that grows, then it is one, with what was told when the daemon stopped."""
    done = heard(*BEGINNING, *READ, opened(), Stopping(NOW + 2 * SECOND))

    (alert,) = done.alerts()
    assert (alert["rule"], alert["count"], alert["status"]) == ("unapproved_model", 2, "open")


def test_growth_that_was_not_told_is_not_shown() -> None:
    """Given a journal without an end, then it shows what the state of the killed daemon had."""
    (alert,) = heard(*BEGINNING, *READ, opened()).alerts()
    assert alert["count"] == 1


def test_what_runs_is_brought_up_to_date_as_in_the_daemon() -> None:
    """Given nothing but ticks, then `last_seen` follows them, every ten seconds or so."""
    ticks = [tick(NOW + second * SECOND) for second in range(2, 16)]
    (workload,) = heard(*BEGINNING, *READ, *ticks).census()["workloads"]
    assert workload["last_seen"] == to_rfc3339(NOW_WALL + 12 * SECOND)


def test_what_an_earlier_run_stored_is_shown() -> None:
    """Nobody of it runs any more, as far as known; what people did about it stays."""
    earlier = heard(*BEGINNING, *READ, Stopping(NOW + SECOND))
    census = earlier.census()
    alerts = [{**one, "status": "acknowledged"} for one in earlier.alerts()]
    past = remembered([(f"{DEVICE}:{inode_of(MODEL)}", census["models"][0])], census["workloads"], alerts)
    later = heard(started(), past, policy_loaded(), tick(NOW + 2 * SECOND))

    assert later.alerts() == alerts
    assert later.census()["models"] == census["models"]
    assert later.census()["workloads"] == [{**census["workloads"][0], "running": False}]


def test_latest_first() -> None:
    """Then by key, so that the order is the same each time."""
    events = [event for path in ("/m/b.gguf", "/m/c.gguf", "/m/d.gguf") for event in (opened(path), is_model(path))]
    census = heard(*BEGINNING, executed(), *events, opened(at=NOW + 1000), is_model(), tick(NOW + SECOND)).census()
    paths = [one["path"] for one in census["models"]]
    assert paths[0] == MODEL
    assert paths[1:] == sorted(paths[1:], key=lambda path: f"{DEVICE}:{inode_of(path)}")


def test_names_are_as_the_state_has_them() -> None:
    """A byte that is no UTF-8 is written as such."""
    census = heard(*BEGINNING, executed(), opened("/m/\udcff.gguf"), is_model("/m/\udcff.gguf"), tick()).census()
    assert [one["path"] for one in census["models"]] == ["/m/\\xff.gguf"]


def test_tables_have_the_limits_of_the_state() -> None:
    """The rows that were seen longest ago leave."""
    events: list[Event] = []
    for number in range(5):
        path, at = f"/m/{number}.gguf", NOW + number * SECOND
        events += [opened(path, at=at), is_model(path, at=at), tick(at)]
    census = heard(*BEGINNING, executed(), *events, limits=Limits(models=2)).census()
    assert [one["path"] for one in census["models"]] == ["/m/4.gguf", "/m/3.gguf"]


def test_an_event_that_fails_costs_itself_only() -> None:
    """Given one that no part of the model takes, then the daemon went on as well."""
    done = heard(*BEGINNING, Event(NOW), *READ)
    assert done.failed == 1
    assert len(done.census()["models"]) == 1


def test_a_time_that_cannot_be_is_an_error() -> None:
    """Given ticks beyond all years, then one line says so."""
    with pytest.raises(JournalError, match="can have happened"):
        heard(*BEGINNING, *READ, exited(PID), tick(1 << 100))


def test_an_error_names_the_line(tmp_path: Path) -> None:
    """With the file."""
    path = journals.write(tmp_path / "a.jsonl", tick(), tick(1 << 100))
    with pytest.raises(JournalError, match=r"a\.jsonl, line 6: "):
        replay(JournalFile(path), Core([RULE]))


@settings(max_examples=200, deadline=None)
@given(st.lists(made_up.events(), max_size=12))
def test_no_journal_breaks_it(events: list[Event]) -> None:
    """Whatever somebody writes into one."""
    done = Replay(Core([RULE]))
    try:
        for event in (*BEGINNING, *events):
            done.hear(event)
    except JournalError:
        return
    done.alerts()
    done.census()


TWICE = """
import sys
from pathlib import Path
from modelwarden.cli import main
sys.exit(main(["replay", sys.argv[1], "--json", *sys.argv[2:]]))
"""


def test_the_same_bytes_in_each_process(tmp_path: Path) -> None:
    """Whatever the seed of Python's hashes, by which sets are ordered."""
    events: list[Event] = []
    for number in range(40):
        who, path = {"pid": 200 + number}, f"/m/{number}.gguf"
        events += [executed(path=f"/usr/bin/p{number}", **who), opened(path, **who), is_model(path)]
    path = journals.write(
        tmp_path / "a.jsonl", *events, user_named(), resynced(), tick(NOW + SECOND), beginning=BEGINNING
    )
    for more in ([], ["--census"]):
        said = {
            subprocess.run(
                [sys.executable, "-c", TWICE, path, *more],
                env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
                check=True,
                capture_output=True,
            ).stdout
            for seed in ("0", "1", "2", "3")
        }
        assert len(said) == 1
        assert b"/usr/bin/p39" in said.pop()
