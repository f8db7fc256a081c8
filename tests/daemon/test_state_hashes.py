"""What files hash to, in the state."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.kit import file
from tests.stored import alert, document

from modelwarden.daemon.event import FileIdentity
from modelwarden.daemon.state import Limits, State
from modelwarden.daemon.state_connection import StateWriteError
from modelwarden.daemon.state_hashes import Sum
from modelwarden.daemon.state_schema import MIGRATIONS, SCHEMA, schema_of

SHA = "ab" * 32
WHOLE, HALF = Sum(SHA), Sum(None, 1 << 20, bytes(range(32)))
LARGEST = (1 << 64) - 1


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the state will be."""
    return tmp_path / "state"


@pytest.fixture
def state(directory: Path) -> Iterator[State]:
    """The daemon's state, with room for three."""
    with State.open(directory, limits=Limits(hashes=3)) as opened:
        yield opened


@pytest.mark.parametrize("found", [WHOLE, HALF])
def test_comes_back_after_a_restart(directory: Path, found: Sum) -> None:
    """A sum, or how far it had come, is there in the next run."""
    with State.open(directory) as state:
        state.hashes.keep(file(), found)
    with State.open(directory) as state:
        assert state.hashes.find(file()) == found


@pytest.mark.parametrize("which", ["device", "inode", "size", "mtime_ns", "ctime_ns"])
def test_every_number_counts(state: State, which: str) -> None:
    """A file that differs in one of the five is another one."""
    state.hashes.keep(file(), WHOLE)
    assert state.hashes.find(replace(file(), **{which: getattr(file(), which) + 1})) == Sum()


def test_takes_the_largest_numbers(state: State) -> None:
    """An inode may have 64 bits, a time may lie before 1970."""
    odd = FileIdentity(LARGEST, LARGEST, LARGEST, -5, -(1 << 63))
    state.hashes.keep(odd, WHOLE)
    assert state.hashes.find(odd) == WHOLE


def test_the_whole_follows_the_half(state: State) -> None:
    """The sum takes the place of what led to it."""
    state.hashes.keep(file(), HALF)
    state.hashes.keep(file(), WHOLE)
    assert state.hashes.find(file()) == WHOLE


def test_is_bounded(state: State) -> None:
    """What was used longest ago leaves, and is counted."""
    files = [file(f"/m/{number}") for number in range(4)]
    assert [state.hashes.keep(one, WHOLE) for one in (*files[:3], files[0], files[3])] == [0, 0, 0, 0, 1]
    assert [state.hashes.find(one).sha256 for one in files] == [SHA, None, SHA, SHA]


@pytest.mark.parametrize(
    ("column", "value"),
    [("sha256", "AB" * 32), ("sha256", "x"), ("midstate", b"short"), ("midstate", "a" * 32), ("read_bytes", 63),
     ("read_bytes", -64), ("read_bytes", 1 << 40), ("read_bytes", "x")],
)  # fmt: skip
def test_an_edited_row_is_none(state: State, directory: Path, column: str, value: object) -> None:
    """What cannot be a sum, or a state of one, is passed over."""
    state.hashes.keep(file(), HALF)
    with sqlite3.connect(directory / "state.db") as raw:
        raw.execute(f"UPDATE hashes SET {column} = ?", (value,))  # noqa: S608
    raw.close()
    assert state.hashes.find(file()) == (HALF if column == "sha256" else Sum())


def test_a_closed_state_is_said(directory: Path) -> None:
    """What cannot be stored is an error in words."""
    state = State.open(directory)
    state.close()
    with pytest.raises(StateWriteError, match="could not be written"):
        state.hashes.keep(file(), WHOLE)


def test_the_first_schema_is_migrated(directory: Path) -> None:
    """A database of the first release gets the table, and keeps all that it has."""
    directory.mkdir(mode=0o700)
    raw = sqlite3.connect(directory / "state.db", isolation_level=None)
    MIGRATIONS[0](raw)
    raw.execute("PRAGMA user_version=1")
    raw.execute("INSERT INTO meta VALUES ('host_id', 'h')")
    raw.close()
    with State.open(directory) as state:
        assert state.meta("host_id") == "h"
        assert state.hashes.find(file()) == Sum()
        state.hashes.keep(file(), WHOLE)
        state.save_census([("1:1", document())], [])
        state.save_alerts([alert()])
    raw = sqlite3.connect(directory / "state.db")
    assert schema_of(raw) == SCHEMA
    raw.close()
