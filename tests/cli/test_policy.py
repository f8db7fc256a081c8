"""`modelwarden policy`."""

from pathlib import Path

import pytest

from modelwarden.cli import main


def check(tmp_path: Path, content: str) -> int:
    """The exit code of a check of that content."""
    path = tmp_path / "policy.toml"
    path.write_text(content, encoding="utf-8")
    return main(["policy", "check", "--policy", str(path)])


def test_sample_passes_its_own_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `sample` prints, `check` accepts: it has no opinion."""
    assert main(["policy", "sample"]) == 0
    assert check(tmp_path, capsys.readouterr().out) == 0
    assert "no opinion" in capsys.readouterr().out


def test_says_what_it_would_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Approvals are counted, those that are over are named."""
    assert check(tmp_path, "[models]\napproved = [{name='a'}, {origin='x:*', expires=2020-01-01}]\n") == 0
    out = capsys.readouterr().out
    assert "models: 2 approvals" in out
    assert "models.approved[1] (x:*) expired on 2020-01-01" in out


def test_empty_list_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That every model will be unapproved should not be a surprise."""
    assert check(tmp_path, "[models]\n") == 0
    assert "every model is unapproved" in capsys.readouterr().out


def test_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An entry that would approve everything exits 2."""
    assert check(tmp_path, "[models]\napproved = [{owner='me'}]\n") == 2
    captured = capsys.readouterr()
    assert "models.approved[0] has no name, origin or sha256" in captured.err
    assert captured.err.count("\n") == 1
