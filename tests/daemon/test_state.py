"""What the daemon must not forget."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stored import EARLY, LATE, alert, document

from modelwarden.daemon.alerts.alert import Status
from modelwarden.daemon.state import Limits, State, UnknownAlertError


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the state will be."""
    return tmp_path / "state"


@pytest.fixture
def state(directory: Path) -> Iterator[State]:
    """The daemon's state."""
    with State.open(directory) as opened:
        yield opened


def test_census_comes_back(state: State, directory: Path) -> None:
    """What was saved is read, the latest first, and each key stands once."""
    state.save_census([("1:2", document(name="old")), ("1:3", document(LATE))], [document(id="w1")])
    state.save_census([("1:2", document(name="new"))], [])
    with State.read(directory) as reader:
        workloads, models = reader.census()
    assert workloads == [document(id="w1")]
    assert models == [document(LATE), document(name="new")]
    assert sorted(key for key, _ in state.keyed_models()) == ["1:2", "1:3"]


@pytest.mark.parametrize("seen", [LATE, "2026-02-01T00:00:00.5Z", "2026-02-01T00:00:01Z"])
def test_since_includes_its_moment(state: State, seen: str) -> None:
    """A time with a fraction of a second is not before the full second."""
    state.save_census([("1:1", document(EARLY)), ("1:2", document(seen))], [])
    assert state.census(since=LATE)[1] == [document(seen)]


def test_unknown_times_are_shown_to_who_asks_for_all(state: State) -> None:
    """A document without a time is not lost."""
    state.save_census([("1:1", document() | {"last_seen": None})], [])
    assert len(state.census()[1]) == 1
    assert state.census(since=EARLY)[1] == []


def test_hostile_text_is_stored_as_utf8(state: State, directory: Path) -> None:
    """A file name that is no UTF-8 stays readable for every program."""
    state.save_census([("1:1", document(path="/tmp/\udcff\n\x1b.gguf"))], [])
    with sqlite3.connect(directory / "state.db") as raw:
        text = raw.execute("SELECT CAST(document AS BLOB) FROM models").fetchone()[0]
    raw.close()
    text.decode("utf-8")
    assert state.census()[1][0]["path"] == "/tmp/\\xff\n\x1b.gguf"


def test_what_people_did_stays(state: State, directory: Path) -> None:
    """An alert that grows keeps the status that a person gave it, while the daemon runs."""
    state.save_alerts([alert(count=1)])
    with State.edit(directory) as editor:
        assert editor.set_status("abc", Status.CLOSED, "a test\udcff")["status"] == "closed"
    state.save_alerts([alert(count=2)])
    found, mark = state.alert("abc1"), state.mark("abc1")
    assert (found["count"], found["status"]) == (2, "closed")
    assert (mark.status, mark.reason) == (Status.CLOSED, "a test\\xff")
    assert mark.at is not None


def test_alerts_are_filtered(state: State) -> None:
    """A severity means this one and worse ones; a time means since then."""
    state.save_alerts(
        [alert("a", severity="low"), alert("b", severity="high", last_seen=LATE), alert("c", severity="critical")]
    )
    assert [found["id"] for found in state.alerts()] == ["b", "a", "c"]
    assert [found["id"] for found in state.alerts(severity="high")] == ["b", "c"]
    assert [found["id"] for found in state.alerts(since=LATE)] == ["b"]


def test_sequence_grows_with_every_change(state: State, directory: Path) -> None:
    """Whoever pulls by a cursor sees each new, grown or acknowledged alert after what was before."""
    state.save_alerts([alert("a"), alert("b")])
    state.save_alerts([alert("a")])
    state.set_status("b", Status.ACKNOWLEDGED, "seen")
    raw = sqlite3.connect(directory / "state.db")
    rows = dict(raw.execute("SELECT id, sequence FROM alerts"))
    raw.close()
    assert rows == {"a": 3, "b": 4}


def test_alert_is_found_by_its_start(state: State) -> None:
    """A start is enough when it is the only one; the full identifier always is."""
    state.save_alerts([alert("abc"), alert("abcd"), alert("b%")])
    assert state.alert("abc")["id"] == "abc"
    assert state.alert("b")["id"] == "b%"
    with pytest.raises(UnknownAlertError, match=r"several alerts start with 'ab' \(abc, abcd\)"):
        state.alert("ab")
    for nobody in ("", "%", "x\x1b"):
        with pytest.raises(UnknownAlertError, match="no alert starts with"):
            state.alert(nobody)


def test_tables_are_bounded(directory: Path) -> None:
    """The oldest rows leave and are counted; of the alerts, those that are closed leave first."""
    with State.open(directory, limits=Limits(models=2, workloads=2, alerts=2)) as state:
        models = [(f"1:{number}", document(f"2026-01-0{number}T00:00:00Z")) for number in range(1, 5)]
        assert state.save_census(models, []) == 2
        assert [key for key, _ in state.keyed_models()] == ["1:3", "1:4"]
        state.save_alerts([alert("a"), alert("b", last_seen=LATE)])
        state.set_status("b", Status.CLOSED, "done")
        assert state.save_alerts([alert("c")]) == 1
        assert {found["id"] for found in state.alerts()} == {"a", "c"}


def test_all_or_nothing(state: State) -> None:
    """A document that is our mistake leaves nothing of its save behind."""
    with pytest.raises(KeyError):
        state.save_census([("1:1", document())], [{"no": "id"}])
    assert state.census() == ([], [])
    state.save_census([("1:1", document())], [document(id="w")])


def test_meta_is_remembered(state: State) -> None:
    """Facts about the daemon are read as they were last written."""
    assert state.meta("host_id") is None
    state.remember_meta("host_id", "a")
    state.remember_meta("host_id", "b")
    assert state.meta("host_id") == "b"
