"""`modelwarden replay`."""

import json
from pathlib import Path

import pytest
from tests import journals
from tests.kit import NOW, SECOND, executed, is_model, opened, policy_loaded, remembered, started, tick, user_named

from modelwarden.cli import main
from modelwarden.probes.event import Event

BEGINNING = (started(), remembered(), policy_loaded())
READ: tuple[Event, ...] = (
    user_named(),
    executed(),
    opened("/home/alice/a.gguf"),
    is_model("/home/alice/a.gguf"),
    tick(NOW + SECOND),
)


@pytest.fixture
def journal(tmp_path: Path) -> str:
    """A journal in which alice reads a model that nobody approved."""
    return str(journals.write(tmp_path / "a.jsonl", *READ, beginning=BEGINNING))


def test_json_is_the_contract(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As `alerts --json` prints it."""
    assert main(["replay", journal, "--json"]) == 0
    (alert,) = json.loads(capsys.readouterr().out)
    assert (alert["rule"], alert["process"]["user"], alert["host_id"]) == ("unapproved_model", "alice", "host")


def test_the_census_as_json_is_the_contract(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As `census --json` prints it."""
    assert main(["replay", journal, "--json", "--census"]) == 0
    census = json.loads(capsys.readouterr().out)
    assert list(census) == ["host_id", "generated_at", "workloads", "models"]
    assert [one["path"] for one in census["models"]] == ["/home/alice/a.gguf"]


def test_people_see_the_lists_that_they_know(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With ages as they were when the journal ended, so that it is the same text each time."""
    assert main(["replay", journal]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[1:] == ["medium", "open", "just", "now", "1", "alice", "Unapproved", "model", "in", "use"]
    assert main(["replay", journal, "--census"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["alice: 1 workload, 1 running", "  running  llama"]
    assert lines[-1].startswith("1 user, 1 workload (1 running), 1 model, ")
    assert lines[-1].endswith("; as of 2026-01-01T00:00:01Z (just now)")


def test_nothing_found_is_not_nothing_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to look at instead."""
    assert main(["replay", str(journals.write(tmp_path / "a.jsonl"))]) == 0
    assert "--census" in capsys.readouterr().out


def test_a_copy_to_share(journal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It gives the same alert, by other names."""
    copy = tmp_path / "b.jsonl.gz"
    assert main(["replay", journal, "--redact", str(copy)]) == 0
    assert "8 events without names" in capsys.readouterr().out
    assert main(["replay", str(copy), "--json"]) == 0
    out = capsys.readouterr().out
    assert [one["rule"] for one in json.loads(out)] == ["unapproved_model"]
    assert "alice" not in out


def test_a_copy_overwrites_nothing(journal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Least of all the journal itself."""
    before = Path(journal).read_bytes()
    assert main(["replay", journal, "--redact", journal]) == 2
    assert "exists already" in capsys.readouterr().err
    assert Path(journal).read_bytes() == before


def test_half_a_copy_is_none(journal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given a journal that is damaged, then nothing is left that looks like a copy."""
    with Path(journal).open("a") as file:
        file.write("[]\n")
    assert main(["replay", journal, "--redact", str(tmp_path / "b.jsonl")]) == 2
    assert not (tmp_path / "b.jsonl").exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "line 1: it is no journal"),
        (b'{"journal":2,"version":"9.9"}\n', "9.9"),
        (b'{"journal":1,"version":"0"}\n["tick",{"at":1,"wall_offset_ns":1}]\n', "line 2: "),
    ],
)
def test_what_is_no_journal_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, words: str
) -> None:
    """It names the file and the line, and exits 2."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(data)
    assert main(["replay", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"modelwarden: {path}, line")
    assert words in captured.err
    assert captured.err.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do."""
    assert main(["replay", str(tmp_path / "nothing")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_journal_that_was_cut_is_a_warning(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All before that counts."""
    with Path(journal).open("a") as file:
        file.write('["tick",{"at":1')
    assert main(["replay", journal, "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == 1
    assert "line 10" in captured.err
    assert "cut off" in captured.err


def test_what_is_remembered_makes_no_sense(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given documents that somebody made up, then a table of them is one line of error."""
    past = remembered(alerts=[{"id": "a-1", "process": 5, "severity": "low", "status": "open", "rule": "x"}])
    path = journals.write(tmp_path / "a.jsonl", beginning=(started(), past, policy_loaded()))
    assert main(["replay", str(path)]) == 2
    assert "makes no sense" in capsys.readouterr().err


def test_options_that_do_not_go_together(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy is all that `--redact` gives."""
    assert main(["replay", journal, "--redact", "x", "--json"]) == 2
    assert "--redact" in capsys.readouterr().err
