"""The database file of the state: who may open it, what it survives."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.stored import alert, document

from modelwarden.daemon.state import State, StateError, StateWriteError
from modelwarden.daemon.state_schema import SCHEMA


def other_process(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """A real second process that runs the code."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the state will be."""
    return tmp_path / "state"


@pytest.fixture
def state(directory: Path) -> Iterator[State]:
    """The daemon's state."""
    with State.open(directory) as opened:
        yield opened


def test_is_private(state: State, directory: Path) -> None:
    """Nobody but the daemon's user reads what was seen."""
    state.save_alerts([alert()])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert set(modes) == {"state.db", "state.db-wal", "state.db-shm", "state.lock"}
    assert set(modes.values()) == {0o600}


def test_refuses_a_directory_where_others_write(directory: Path) -> None:
    """Where others could plant files, root does not work."""
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.raises(StateError, match="other users may write"):
        State.open(directory)


def test_second_daemon_is_refused(directory: Path) -> None:
    """One line names the process that holds the state; once it ends, the next may open."""
    code = (
        "import sys, pathlib\nfrom modelwarden.daemon.state import State\n"
        "with State.open(pathlib.Path(sys.argv[1])):\n    print('open', flush=True)\n    sys.stdin.read()"
    )
    with other_process(code, directory) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(StateError, match=rf"another modelwarden \(pid {first.pid}\)"):
            State.open(directory)
        State.read(directory).close()
        first.communicate()
    State.open(directory).close()


def test_killed_writer_leaves_whole_saves(directory: Path) -> None:
    """After kill -9 in the middle, every save that is there is there as a whole."""
    code = (
        "import sys, pathlib\nfrom modelwarden.daemon.state import State\n"
        "state = State.open(pathlib.Path(sys.argv[1]))\n"
        "for n in range(10**6):\n"
        "    row = {'last_seen': '2026', 'first_seen': '2026', 'save': n}\n"
        "    state.save_census([(f'1:{i}', row) for i in range(50)], [{'id': 'w', **row}])\n"
        "    print(n, flush=True)"
    )
    with other_process(code, directory) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 20:
            pass
        writer.send_signal(signal.SIGKILL)
    with State.open(directory) as state:
        workloads, models = state.census()
        assert state.moved_aside is None
    saves = {model["save"] for model in models} | {workload["save"] for workload in workloads}
    assert len(models) == 50
    assert len(saves) == 1
    assert saves.pop() >= 20


def test_reader_sees_whole_saves_while_a_writer_writes(state: State, directory: Path) -> None:
    """A reader never waits for the writer, nor it for the reader, and sees no half of a save."""
    ended = threading.Event()

    def write() -> None:
        for number in range(100):
            state.save_census([(f"1:{key}", document(save=number)) for key in range(20)], [])
        ended.set()

    state.save_census([(f"1:{key}", document(save=-1)) for key in range(20)], [])
    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not ended.is_set():
        with State.read(directory) as reader:
            seen.append({model["save"] for model in reader.census()[1]})
    writer.join()
    assert {len(saves) for saves in seen} == {1}


@pytest.mark.parametrize("way", [State.open, State.read, State.edit])
def test_newer_schema_is_left_alone(directory: Path, way: Any) -> None:
    """What a newer version wrote is neither read nor touched, by nobody."""
    State.open(directory).close()
    with sqlite3.connect(directory / "state.db") as raw:
        raw.execute("PRAGMA user_version=77")
    raw.close()
    with pytest.raises(StateError, match=rf"written by a newer modelwarden \(schema 77, this one knows {SCHEMA}\)"):
        way(directory)


@pytest.mark.parametrize("damage", ["garbage", "truncated", "middle"])
def test_damaged_database_is_moved_aside(directory: Path, damage: str) -> None:
    """The daemon starts afresh, says so, and keeps the damaged file for whoever wants to look."""
    with State.open(directory) as state:
        state.save_census([(f"1:{key}", document(pad="x" * 500)) for key in range(500)], [])
    path = directory / "state.db"
    content = path.read_bytes()
    broken = {
        "garbage": b"no database at all" * 100,
        "truncated": content[: len(content) // 2],
        "middle": content[:8192] + os.urandom(65536) + content[73728:],
    }[damage]
    path.write_bytes(broken)
    with State.open(directory) as state:
        assert state.moved_aside is not None
        assert state.moved_aside.read_bytes() == broken
        assert state.census() == ([], [])
        state.save_alerts([alert()])


def test_damage_is_said_to_readers(directory: Path) -> None:
    """A command only says what is wrong; moving files is the daemon's."""
    State.open(directory).close()
    (directory / "state.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StateError, match="is damaged: restart the daemon"):
        State.read(directory)


def test_missing_state_says_what_to_do(directory: Path) -> None:
    """Without a database the next step is to start the daemon, and none is made by looking."""
    for way in (State.read, State.edit):
        with pytest.raises(StateError, match=r"no state at .*state\.db: has the daemon run\?"):
            way(directory)
    assert not directory.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_unreadable_state_says_sudo(state: State, directory: Path) -> None:
    """Another user is told to become root."""
    directory.parent.chmod(0o711)
    os.seteuid(65534)
    try:
        with pytest.raises(StateError, match="may not be read by this user: run the command as root"):
            State.read(directory)
    finally:
        os.seteuid(0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    mount = tmp_path / "disk"
    mount.mkdir()
    tried = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(mount)],
        check=False,
        capture_output=True,
    )
    if tried.returncode != 0:
        pytest.skip("needs the right to mount")
    yield mount
    subprocess.run(["/usr/bin/umount", str(mount)], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def test_full_disk_loses_nothing_that_is_saved_again(small_disk: Path) -> None:
    """A save on a full disk stores nothing, and once there is room the same rows are stored."""
    ballast = small_disk / "ballast"
    with State.open(small_disk / "state") as state:
        state.save_alerts([alert("before")])
        fill(ballast)
        changed = [alert(f"after{number}", pad="x" * 1000) for number in range(100)]
        with pytest.raises(StateWriteError, match="could not be written"):
            state.save_alerts(changed)
        assert [found["id"] for found in state.alerts()] == ["before"]
        ballast.unlink()
        state.save_alerts(changed)
        assert len(state.alerts()) == 101


@pytest.mark.parametrize("ended", ["closed", "killed"])
def test_state_on_a_read_only_disk_is_readable(small_disk: Path, tmp_path: Path, ended: str) -> None:
    """A backup that cannot be written shows all that was saved, also what only the log held."""
    code = (
        "import sys, pathlib, os\nfrom modelwarden.daemon.state import State\n"
        "state = State.open(pathlib.Path(sys.argv[1]))\n"
        "state.remember_meta('host_id', 'h')\n"
        "state.close() if sys.argv[2] == 'closed' else os.kill(os.getpid(), 9)"
    )
    with other_process(code, small_disk / "state", ended):
        pass
    (small_disk / "state" / "state.db-shm").unlink(missing_ok=True)
    subprocess.run(["/usr/bin/mount", "-o", "remount,ro", str(small_disk)], check=True)
    with State.read(small_disk / "state") as reader:
        assert reader.meta("host_id") == "h"
