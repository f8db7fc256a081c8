"""Recording what the core is told, whatever the disk does."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests import journals
from tests.kit import NOW, SECOND, opened, started, tick

from modelwarden.daemon.journal import JournalError
from modelwarden.daemon.journal_file import JournalFile, create
from modelwarden.daemon.recorder import Recorder
from modelwarden.probes.event import Event

DEADLINE_S = 10.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    target = tmp_path / "disk"
    target.mkdir()
    mounted = subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(target)], check=False)
    if mounted.returncode:
        pytest.skip("may not mount")
    yield target
    subprocess.run(["/bin/umount", "--lazy", str(target)], check=True)


def until(is_so: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def record(recorder: Recorder, *events: Event) -> None:
    """Records a journal's beginning with these behind it."""
    for event in (*journals.BEGINNING, *events):
        recorder.record(event)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_was_recorded_is_read(tmp_path: Path, name: str) -> None:
    """In order, all of it, once the recording was closed."""
    recorder = Recorder.open(tmp_path / name)
    record(recorder, opened(), tick())
    recorder.flush()
    record(recorder, *[tick(NOW + second * SECOND) for second in range(100)])
    recorder.close(DEADLINE_S)

    found = [event for _, event in JournalFile(tmp_path / name).events()]
    assert len(found) == 108
    assert found[3:5] == [opened(), tick()]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_was_flushed_survives_a_kill(tmp_path: Path, name: str) -> None:
    """Given no end, then what was flushed can be read."""
    path = tmp_path / name
    recorder = Recorder.open(path)
    record(recorder, tick())
    recorder.flush()
    until(lambda: path.stat().st_size > 100)
    copy = path.rename(tmp_path / f"copy-{name}")
    copy.write_bytes(copy.read_bytes())

    assert [event for _, event in JournalFile(copy).events()][3:] == [tick()]
    recorder.close(DEADLINE_S)


def test_a_full_disk_ends_the_recording_only(small_disk: Path) -> None:
    """Given no room, then it is said once, what is left out is counted, and what was written can be read."""
    path = small_disk / "a.jsonl"
    recorder, end = Recorder.open(path), time.monotonic() + DEADLINE_S
    with capture_logs() as logs:
        record(recorder)
        for second in range(2_000):
            recorder.record(tick(NOW + second * SECOND))
        while recorder.ended is None and time.monotonic() < end:
            recorder.flush()
        recorder.record(tick())
        recorder.close(DEADLINE_S)

    assert recorder.left_out == 1
    assert [one["event"] for one in logs] == ["journal_ended", "journal_incomplete"]
    assert "space" in logs[0]["reason"]
    journal = JournalFile(path)
    assert len(list(journal.events())) > 100
    assert journal.cut is not None


def test_a_disk_that_hangs_ends_the_recording_only(tmp_path: Path) -> None:
    """Given more than may wait, then the memory is given back."""
    recorder = Recorder(create(tmp_path / "a.jsonl"), waiting_max=1_000)
    with capture_logs() as logs:
        record(recorder, *[opened()] * 10)

    assert recorder.ended == "the disk does not keep up"
    assert recorder.left_out > 0
    assert len(logs) == 1
    recorder.close(DEADLINE_S)


def test_a_mistake_of_ours_ends_the_recording_only(tmp_path: Path) -> None:
    """Given an event that cannot be written, then whoever records goes on."""

    def fail(_event: Event) -> Event:
        raise ZeroDivisionError

    recorder = Recorder.open(tmp_path / "a.jsonl", fail)
    with capture_logs() as logs:
        record(recorder)
    recorder.close(DEADLINE_S)

    assert recorder.left_out == 2
    assert "Started cannot be written" in logs[0]["reason"]


def test_what_is_recorded_may_be_changed(tmp_path: Path) -> None:
    """Given a redaction, then the journal says so."""
    recorder = Recorder.open(tmp_path / "a.jsonl", lambda event: started("x") if event == started() else event)
    record(recorder)
    recorder.close(DEADLINE_S)
    journal = JournalFile(tmp_path / "a.jsonl")

    assert journal.header.redacted
    assert next(journal.events()) == (2, started("x"))


def test_a_journal_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """Before the daemon begins."""
    (tmp_path / "a.jsonl").write_text("old")
    with pytest.raises(JournalError, match="exists already"):
        Recorder.open(tmp_path / "a.jsonl")
