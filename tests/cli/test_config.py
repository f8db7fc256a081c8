"""`modelwarden config`."""

from pathlib import Path

import pytest

from modelwarden.cli import main


def test_sample_passes_its_own_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `sample` prints, `check` accepts."""
    assert main(["config", "sample"]) == 0
    path = tmp_path / "config.toml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["config", "check", "--config", str(path)]) == 0
    assert capsys.readouterr().out == f"{path} is right\n"


def test_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong file exits 2 and says which key to change."""
    path = tmp_path / "config.toml"
    path.write_text("[http]\nlistn = 1\n", encoding="utf-8")
    assert main(["config", "check", "--config", str(path)]) == 2
    assert capsys.readouterr().err == f"modelwarden: {path}: [http] listn is unknown; did you mean listen?\n"


def test_open_address_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Listening for other machines is right, and worth a word."""
    path = tmp_path / "config.toml"
    path.write_text('[http]\nlisten = "0.0.0.0:9736"\n', encoding="utf-8")
    assert main(["config", "check", "--config", str(path)]) == 0
    assert "can be reached from other machines" in capsys.readouterr().out


def test_action_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    """`config` alone does nothing, and says what it could do."""
    assert main(["config"]) == 2
    assert "check|sample" in capsys.readouterr().err
