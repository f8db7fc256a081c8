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
        "workloads": [a_workload(models=[{**a_model(), "shards": None}])],
        "models": [{**a_model(), "shards": None}],
    }


def test_format_json_is_json(seen: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The short option and the long one are the same."""
    seen.census(a_workload())
    written = []
    for option in (["--json"], ["--format", "json"]):
        main(["census", *option, "--state-dir", str(seen.directory)])
        written.append(capsys.readouterr().out)
    assert written[0] == written[1]


def test_json_has_models_instead_of_files(
    seen: Any, a_model: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given a model of two files, then it is one, in the list and with its workload."""
    files = tuple(
        a_model(path=f"/m/a-0000{index}-of-00002.gguf", shard={"index": index, "count": 2}) for index in (1, 2)
    )
    seen.census(a_workload(models=list(files)), models=files)
    main(["census", "--json", "--state-dir", str(seen.directory)])
    census = json.loads(capsys.readouterr().out)
    for models in (census["models"], census["workloads"][0]["models"]):
        assert [(model["size"], model["shards"]["seen"]) for model in models] == [(9_840_000_000, 2)]


def test_json_is_ascii(seen: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A hostile name in JSON neither reaches the terminal raw nor breaks a locale."""
    seen.census(a_workload(user="日本\x1b[31m\u202e\udcff"))
    main(["census", "--json", "--state-dir", str(seen.directory)])
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out)["workloads"][0]["user"] == "日本\x1b[31m\u202e\\xff"


def test_people_see_tables(seen: Any, a_model: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Who runs what, the models, and a line that sums up."""
    seen.census(a_workload(), models=(a_model(),))
    main(["census", "--state-dir", str(seen.directory)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["alice: 1 workload, 1 running", "  running  llama-server (llama.cpp)"]
    assert lines[-1].startswith("1 user, 1 workload (1 running), 1 model, 4.58 GiB; 1 of unknown origin, ")


def test_csv_ends_its_lines_once(seen: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """RFC 4180 wants CRLF after each row, the last one too."""
    seen.census(a_workload())
    assert main(["census", "--format", "csv", "--state-dir", str(seen.directory)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("host_id,")
    assert out.count("\r\n") == out.count("\n") == 2
    assert out.endswith("\r\n")


@pytest.mark.parametrize(
    ("users", "workloads", "models"),
    [
        (["alice"], ["w1"], ["tiny"]),
        (["1000"], ["w1"], ["tiny"]),
        (["eve"], ["w2"], ["other"]),
        (["root", "alice"], ["w1", "w2"], ["tiny", "other"]),
        (["nobody"], [], []),
    ],
)
def test_user_leaves_out_others(
    seen: Any, a_model: Any, a_workload: Any, capsys: pytest.CaptureFixture[str],
    users: list[str], workloads: list[str], models: list[str],
) -> None:  # fmt: skip
    """Given a user, by name, number or login, then only their workloads are shown, and what these have read."""
    other, unread = a_model(name="other", path="/m/o", paths=["/m/o"]), a_model(name="u", path="/m/u", paths=["/m/u"])
    roots = a_workload(id="w2", user="root", uid=0, login_user="eve", models=[other])
    seen.census(a_workload(), roots, models=(a_model(), other, unread))
    options = [word for user in users for word in ("--user", user)]
    main(["census", "--json", *options, "--state-dir", str(seen.directory)])
    census = json.loads(capsys.readouterr().out)
    assert [workload["id"] for workload in census["workloads"]] == workloads
    assert [model["name"] for model in census["models"]] == models


def test_user_of_whom_nothing_is_known(seen: Any, a_workload: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is nobody's is answered, not obeyed."""
    seen.census(a_workload())
    assert main(["census", "--user", "bob\x1b[2J", "--state-dir", str(seen.directory)]) == 0
    assert capsys.readouterr().out.startswith(r"No local AI of bob\x1b[2J was seen. ")


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
