"""Journals as files: whole, cut, damaged, and made up by somebody."""

import gzip
import os
import stat
from pathlib import Path

import pytest
from tests import journals
from tests.kit import NOW, SECOND, opened, policy_loaded, remembered, started, tick

from modelwarden.daemon.journal import LINE_MAX, Header, JournalError, encode, encode_header
from modelwarden.daemon.journal_file import JournalFile, create
from modelwarden.probes.event import Event

TICKS = (tick(), tick(NOW + SECOND), tick(NOW + 2 * SECOND))


def told(journal: JournalFile) -> list[Event]:
    """The events behind the beginning."""
    return [event for _, event in journal.events()][len(journals.BEGINNING) :]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    """In order, with the number of each line, as often as one likes."""
    journal = JournalFile(journals.write(tmp_path / name, *TICKS))

    assert [number for number, _ in journal.events()] == [2, 3, 4, 5, 6, 7]
    assert told(journal) == list(TICKS)
    assert journal.cut is None


def test_a_name_says_whether_it_is_compressed(tmp_path: Path) -> None:
    """`.gz` is gzip; what is read says so itself."""
    path = journals.write(tmp_path / "a.jsonl.gz", *TICKS)
    with gzip.open(path) as file:
        assert file.readline().startswith(b'{"journal":1')
    assert told(JournalFile(path.rename(tmp_path / "b"))) == list(TICKS)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_only_its_owner_may_read_it(tmp_path: Path, name: str) -> None:
    """Whatever the umask says, and whatever an empty file that was there allowed."""
    path = tmp_path / name
    path.touch(0o666)
    create(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file with something in it stays as it is."""
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    with pytest.raises(JournalError, match="exists already"):
        create(path)
    assert path.read_text() == "years of work"


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Who may write to the folder must not decide where root writes."""
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(JournalError, match="symbolic link"):
        create(tmp_path / "link")
    assert not (tmp_path / "target").exists()


def test_a_pipe_is_no_journal(tmp_path: Path) -> None:
    """Neither to write nor to read, and nobody waits for its other end."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(JournalError, match="pipe"):
        create(tmp_path / "pipe")
    with pytest.raises(JournalError, match="no regular file"):
        JournalFile(tmp_path / "pipe")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(JournalError, match=r"No such file.*name another"):
        create(tmp_path / "nowhere" / "a.jsonl")
    with pytest.raises(JournalError, match="No such file"):
        JournalFile(tmp_path / "nowhere")


def test_a_line_that_was_cut_off_ends_it(tmp_path: Path) -> None:
    """Given a daemon that was killed while it wrote, then all before that counts."""
    path = journals.write(tmp_path / "a.jsonl", *TICKS)
    os.truncate(path, path.stat().st_size - 7)
    journal = JournalFile(path)

    assert told(journal) == list(TICKS[:2])
    assert journal.cut is not None
    assert "line 7" in journal.cut


def test_a_last_line_without_its_end_counts(tmp_path: Path) -> None:
    """An editor took the newline away; nothing is missing."""
    path = journals.write(tmp_path / "a.jsonl", *TICKS)
    os.truncate(path, path.stat().st_size - 1)
    journal = JournalFile(path)

    assert told(journal) == list(TICKS)
    assert journal.cut is None


def test_a_compressed_journal_that_was_cut_off(tmp_path: Path) -> None:
    """Given a daemon that was killed, then what it had flushed counts."""
    path = tmp_path / "a.jsonl.gz"
    with create(path) as file:
        file.write(encode_header(Header("1")) + b"".join(map(encode, (*journals.BEGINNING, *TICKS))))
        file.flush()
        size = path.stat().st_size
        file.write(encode(tick(NOW + 3 * SECOND)))
    os.truncate(path, size + 1)
    journal = JournalFile(path)

    assert told(journal) == list(TICKS)
    assert journal.cut is not None


def test_damaged_compression_is_an_error(tmp_path: Path) -> None:
    """Not a traceback, and not half of a journal without a word."""
    path = journals.write(tmp_path / "a.jsonl.gz", *TICKS)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8] = bytes(8)
    path.write_bytes(data)
    with pytest.raises(JournalError, match=r"line \d+: "):
        told(JournalFile(path))


def test_an_error_names_the_line(tmp_path: Path) -> None:
    """With the path, so that it can be looked at."""
    path = journals.write(tmp_path / "a.jsonl", *TICKS)
    with path.open("ab") as file:
        file.write(b'["tick",{}]\n')
    with pytest.raises(JournalError, match=r"a\.jsonl, line 8: tick makes no sense"):
        told(JournalFile(path))


@pytest.mark.parametrize("data", [b"", b"hello\n", b"GGUF\x03\x00", b"\x1f\x8b", b"\xff" * 100])
def test_what_is_no_journal_is_refused_at_once(tmp_path: Path, data: bytes) -> None:
    """Before anything is thought about."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(data)
    with pytest.raises(JournalError, match="line 1: "):
        JournalFile(path)


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        ((), "line 2: tick stands where started belongs"),
        ((started(), policy_loaded()), "line 3: policy_loaded stands where remembered belongs"),
        ((started(), remembered()), "line 4: tick stands where policy_loaded belongs"),
    ],
)
def test_a_journal_begins_with_what_the_core_must_know(
    tmp_path: Path, beginning: tuple[Event, ...], words: str
) -> None:
    """Without the host, the past and the policy the same events give something else."""
    path = journals.write(tmp_path / "a.jsonl", *TICKS, beginning=beginning)
    with pytest.raises(JournalError, match=words):
        told(JournalFile(path))


def test_a_journal_that_ends_before_it_began(tmp_path: Path) -> None:
    """Given a daemon that was killed at once, then it says so."""
    path = journals.write(tmp_path / "a.jsonl", beginning=(started(),))
    with pytest.raises(JournalError, match="ends before anything was recorded"):
        told(JournalFile(path))


def test_a_line_without_end_is_not_taken_into_memory(tmp_path: Path) -> None:
    """Given a hostile file of one long line, then reading stops at the limit."""
    path = journals.write(tmp_path / "a.jsonl.gz")
    with gzip.open(path, "ab") as file:
        file.write(b'["tick",{"at":' + b" " * (2 * LINE_MAX))
    with pytest.raises(JournalError, match=r"line 5: longer than \d+ bytes"):
        told(JournalFile(path))


def test_what_is_remembered_may_be_long(tmp_path: Path) -> None:
    """Given a state with many rows, then its line is taken, up to a limit of its own."""
    past = remembered(models=[(f"1:{number}", {"path": "/m/a"}) for number in range(1_000)])
    path = journals.write(tmp_path / "a.jsonl", opened(), beginning=(started(), past, policy_loaded()))
    assert told(JournalFile(path, line_max=1_000, remembered_max=100_000)) == [opened()]

    with pytest.raises(JournalError, match="line 3: longer than 2000 bytes"):
        told(JournalFile(path, line_max=1_000, remembered_max=2_000))
