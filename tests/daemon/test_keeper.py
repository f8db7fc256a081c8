"""Writing to the state without holding the core up."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwarden.daemon.keeper import PENDING_MAX, Keeper
from modelwarden.daemon.snapshot import Document
from modelwarden.daemon.state import State, StateError

SEEN = "2026-01-01T00:00:00.000000Z"
DEADLINE_S = 10.0


def row(**more: object) -> Document:
    """A document, as far as the state looks at it."""
    return {"first_seen": SEEN, "last_seen": SEEN, **more}


def alert(identifier: str = "a-1", **more: object) -> Document:
    """An alert, as far as the state looks at it."""
    return row(id=identifier, rule="r", severity="medium", status="open", **more)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the state will be."""
    return tmp_path / "state"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    target = tmp_path / "disk"
    target.mkdir()
    mounted = subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(target)], check=False)
    if mounted.returncode:
        pytest.skip("may not mount")
    yield target
    subprocess.run(["/bin/umount", "--lazy", str(target)], check=True)


def let_go(directory: Path) -> None:
    """Waits until a keeper that was closed has let go of its state."""
    until = time.monotonic() + DEADLINE_S
    while True:
        try:
            State.open(directory).close()
        except StateError:
            assert time.monotonic() < until, "the state was not let go of"
            time.sleep(0.01)
        else:
            return


def stored(directory: Path) -> tuple[list[Document], list[Document], list[Document]]:
    """Workloads, models and alerts as a command reads them, after the keeper has been closed."""
    let_go(directory)
    with State.read(directory) as state:
        return *state.census(), state.alerts()


def flush_until(keeper: Keeper, *, refused: bool) -> None:
    """Flushes, as the tick does, until the disk has refused or taken what waits."""
    until = time.monotonic() + DEADLINE_S
    while (keeper.refused is not None) is not refused:
        assert time.monotonic() < until, f"refused: {keeper.refused}"
        keeper.flush()
        time.sleep(0.01)


def test_what_was_added_is_stored(directory: Path) -> None:
    """Given rows, then they are in the state when the keeper has been closed, each key once, the latest."""
    keeper = Keeper(State.open(directory))
    keeper.add([("1:1", row(path="/old"))], [row(id="w-1")])
    keeper.add([("1:1", row(path="/new"))], [])
    keeper.add_alert(alert(count=1))
    keeper.flush()
    keeper.add_alert(alert(count=2))
    keeper.close(DEADLINE_S)
    workloads, models, alerts = stored(directory)
    assert ([one["path"] for one in models], [one["id"] for one in workloads]) == (["/new"], ["w-1"])
    assert [one["count"] for one in alerts] == [2]


def test_state_says_how_fresh_it_is(directory: Path) -> None:
    """Given nothing to write, then the first flush says when the state was right, and the next are idle."""
    keeper = Keeper(State.open(directory))
    keeper.flush()
    keeper.flush()
    keeper.close(DEADLINE_S)
    let_go(directory)
    with State.read(directory) as state:
        assert state.meta("generated_at") is not None


def test_closing_lets_the_next_daemon_in(directory: Path) -> None:
    """Given a keeper that was closed, then the state can be opened again."""
    keeper = Keeper(State.open(directory))
    with pytest.raises(StateError):
        State.open(directory)
    keeper.close(DEADLINE_S)
    let_go(directory)


@pytest.mark.root
def test_full_disk_loses_nothing(small_disk: Path) -> None:
    """Given a disk without room, then rows wait, newer ones win, and all is written when there is room again."""
    keeper = Keeper(State.open(small_disk / "state"))
    filling = small_disk / "filling"
    fill(filling)
    keeper.add([("1:1", row(path="/old")), ("1:2", row(text="x" * 100_000))], [row(id="w-1")])
    keeper.add_alert(alert(count=1))
    flush_until(keeper, refused=True)
    assert keeper.refused is not None
    assert "nothing was stored" in keeper.refused
    keeper.add([("1:1", row(path="/new"))], [])
    keeper.add_alert(alert(count=2))
    filling.unlink()
    flush_until(keeper, refused=False)
    keeper.close(DEADLINE_S)
    workloads, models, alerts = stored(small_disk / "state")
    assert {one.get("path") for one in models} == {"/new", None}
    assert ([one["id"] for one in workloads], [one["count"] for one in alerts]) == (["w-1"], [2])
    assert keeper.evicted == 0


@pytest.mark.root
def test_last_write_is_tried_again(small_disk: Path) -> None:
    """Given a refusal and room again, then closing still writes what waits."""
    keeper = Keeper(State.open(small_disk / "state"))
    filling = small_disk / "filling"
    fill(filling)
    keeper.add([("1:1", row(text="x" * 100_000))], [])
    flush_until(keeper, refused=True)
    filling.unlink()
    keeper.close(DEADLINE_S)
    assert len(stored(small_disk / "state")[1]) == 1


@pytest.mark.root
def test_closing_on_a_full_disk_comes_to_an_end(small_disk: Path) -> None:
    """Given a disk that stays full, then closing gives up, and what was stored before is whole."""
    keeper = Keeper(State.open(small_disk / "state"))
    keeper.add([("1:1", row())], [])
    keeper.flush()
    keeper.add([("1:2", row(text="x" * 2_000_000))], [])
    keeper.close(DEADLINE_S)
    assert len(stored(small_disk / "state")[1]) == 1


def test_waiting_rows_are_bounded(directory: Path) -> None:
    """Given a disk that refuses for long, then the oldest rows of each table leave, and are counted."""
    keeper = Keeper(State.open(directory))
    document = row()
    keeper.add([(f"1:{number}", document) for number in range(PENDING_MAX + 2)], [])
    keeper.add([], [row(id=f"w-{number}") for number in range(PENDING_MAX + 3)])
    for number in range(PENDING_MAX + 4):
        keeper.add_alert(alert(f"a-{number}"))
    assert keeper.evicted == 9


def fill(path: Path) -> None:
    """Takes all the room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def test_how_fresh_it_is_comes_with_the_rows(directory: Path) -> None:
    """Given rows of a moment, then the state says that moment, also when nothing changed since the last write."""
    keeper = Keeper(State.open(directory))
    keeper.add([], [row(id="w-1")], as_of="2026-01-01T00:00:01Z")
    keeper.flush()
    keeper.add([], [], as_of="2026-01-01T00:00:02Z")
    keeper.close(DEADLINE_S)

    let_go(directory)
    with State.read(directory) as state:
        assert state.meta("generated_at") == "2026-01-01T00:00:02Z"
