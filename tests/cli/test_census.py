"""`modelwarden census`."""

import json
from typing import Any

import pytest

from modelwarden.cli import main


def test_json_is_the_contract(seen: Any, a_model: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts get the documents as the daemon saved them, below who and when."""
    seen.census(a_workload(), models=(a_model(),))
    assert main(["census", "--json", "--state-dir", str(seen.directory)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "host_id": "h1",
        "generated_at": "2026-01-01T00:00:00Z",
        "workloads": [a_workload()],
        "models": [a_model()],
    }


def test_json_is_ascii(seen: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A hostile name in JSON neither reaches the terminal raw nor breaks a locale."""
    seen.census(a_workload(user="日本\x1b[31m\u202e\udcff"))
    main(["census", "--json", "--state-dir", str(seen.directory)])
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out)["workloads"][0]["user"] == "日本\x1b[31m\u202e\\xff"


def test_people_see_who_runs_what_and_why(
    seen: Any, a_model: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """One row per model; what is true of the whole workload stands in its first."""
    second = a_model(name=None, path="/srv/models/other.bin", architecture=None, quantization=None, size=None)
    seen.census(a_workload(models=[a_model(), second]), models=(a_model(), second))
    main(["census", "--state-dir", str(seen.directory)])
    lines = capsys.readouterr().out.splitlines()
    row = " ".join(lines[1].split())
    assert row == "running alice llama-server (llama.cpp) tiny llama Q4_K_M 4.58 GiB read weights"
    assert lines[2].split() == ["other.bin", "-", "-", "-"]
    assert lines[-1].startswith("1 workload (1 running), 2 models; as of 2026-01-01T00:00:00Z (")


def test_hostile_name_stays_one_row(
    seen: Any, a_model: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Newlines and escapes in a model's name draw nothing."""
    seen.census(a_workload(models=[a_model(name="x\n\x1b[2J\u202e")]))
    main(["census", "--state-dir", str(seen.directory)])
    out = capsys.readouterr().out
    assert r"x\n\x1b[2J\u202e" in out
    assert len(out.splitlines()) == 4


def test_ended_workload_says_when(seen: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not run any more was last seen some time ago; an unknown user is a number."""
    seen.census(a_workload(running=False, user=None, models=[], exe=None))
    main(["census", "--state-dir", str(seen.directory)])
    row = capsys.readouterr().out.splitlines()[1]
    assert " ago  uid 1000  llama.cpp  " in row


def test_empty_census_says_what_to_do(seen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing seen is not nothing said."""
    seen.census()
    assert main(["census", "--state-dir", str(seen.directory)]) == 0
    assert "modelwarden doctor" in capsys.readouterr().out


@pytest.mark.parametrize(("since", "count"), [("2026-01-01", 1), ("2026-01-01T01:00:00+01:00", 1), ("2026-01-02", 0)])
def test_since_leaves_out_what_is_older(
    seen: Any, a_workload: Any, capsys: pytest.CaptureFixture[str], since: str, count: int
) -> None:
    """A time in any zone, or a date, bounds what is shown."""
    seen.census(a_workload())
    main(["census", "--json", "--since", since, "--state-dir", str(seen.directory)])
    assert len(json.loads(capsys.readouterr().out)["workloads"]) == count


def test_missing_state_is_one_line(seen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a state the command says so and what to do, and exits 2."""
    assert main(["census", "--state-dir", str(seen.directory)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("modelwarden: no state at ")
    assert captured.err.count("\n") == 1
