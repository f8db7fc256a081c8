"""The census for spreadsheets."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.cli.census_csv import HEADER, as_csv

HEAD = {"host_id": "h1", "generated_at": "2026-01-01T00:00:00Z"}
HOSTILE = st.text(st.characters(codec=None), max_size=30)


def rows(*workloads: dict[str, Any], models: tuple[dict[str, Any], ...] = ()) -> list[dict[str, str]]:
    """The rows as another program reads them."""
    return list(csv.DictReader(io.StringIO(as_csv(HEAD, list(workloads), list(models)), newline=""), strict=True))


def test_header_is_the_contract() -> None:
    """Scripts know the columns by name, spreadsheets by place."""
    assert as_csv(HEAD, [], []) == (
        "host_id,generated_at,user,uid,login_user,session,workload,runtime,exe,unit,container,container_image,"
        "application,running,workload_first_seen,workload_last_seen,model,path,format,reason,architecture,parameters,"
        "quantization,license,size,sha256,verified,verdict,opens,model_first_seen,model_last_seen,origin_kind,"
        "origin_repository,origin_revision,origin_name,origin_file,origin_role,origin_remote_host,files_seen,files\r\n"
    )


def test_a_row_for_each_model_of_each_workload(a_model: Any, a_workload: Any) -> None:
    """Given two models of one workload and one of another, then three rows have both sides in full."""
    other = a_model(name="other", path="/m/o", verified=True, origin={"kind": "ollama", "name": "o:1b"})
    found = rows(a_workload(models=[a_model(), other]), a_workload(id="w2", user="bob", running=False), models=(other,))
    assert [(row["workload"], row["user"], row["running"], row["model"]) for row in found] == [
        ("w1", "alice", "true", "tiny"), ("w1", "alice", "true", "other"), ("w2", "bob", "false", "tiny"),
    ]  # fmt: skip
    assert {row["host_id"] for row in found} == {"h1"}
    assert (found[1]["verified"], found[1]["origin_kind"], found[1]["origin_name"]) == ("true", "ollama", "o:1b")
    assert (found[0]["size"], found[0]["license"], found[0]["origin_kind"]) == ("4920000000", "", "")


def test_nothing_is_left_out(a_model: Any, a_workload: Any) -> None:
    """A workload without models has a row, and a model that no workload shown has read."""
    found = rows(a_workload(models=[]), models=(a_model(),))
    assert [(row["workload"], row["model"], row["files"]) for row in found] == [("w1", "", ""), ("", "tiny", "1")]


def test_model_of_several_files(a_model: Any, a_workload: Any) -> None:
    """How many files it has and how many were seen stand beside it."""
    [row] = rows(a_workload(models=[a_model(shards={"count": 5, "seen": 3, "files": []})]))
    assert (row["files_seen"], row["files"]) == ("3", "5")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("  =1", "'  =1"),
        ("＝1", "'＝1"), ("\t=1", "\\t=1"), ("\r=1", "\\r=1"), ("a=1", "a=1"), ("'=1", "'=1"), ("a-b", "a-b"),
        ("", ""), (" ", " "),
    ],
)  # fmt: skip
def test_nothing_is_computed(name: str, cell: str, a_model: Any, a_workload: Any) -> None:
    """A name that a spreadsheet takes for a formula is text, as is one behind a tab or in wide letters."""
    [row] = rows(a_workload(models=[a_model(name=name)]))
    assert row["model"] == cell


@pytest.mark.parametrize("name", ['a,b "c"; d', "a\nb", "a\r\nb", "日本"])
def test_separators_stay_inside_a_cell(name: str, a_model: Any, a_workload: Any) -> None:
    """A name with commas, quotes or newlines is one cell of one line."""
    text = as_csv(HEAD, [a_workload(models=[a_model(name=name)])], [])
    assert text.count("\n") == text.count("\r\n") == 2
    [row] = rows(a_workload(models=[a_model(name=name)]))
    assert row["model"] == name.replace("\r", "\\r").replace("\n", "\\n")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_whatever_names_hold(user: str, name: str, repository: str) -> None:
    """Each row reads back with all its cells, none of which begins like a formula or hides a control."""
    model = {"path": name, "name": name, "origin": {"repository": repository}}
    text = as_csv(HEAD, [{"id": "w1", "user": user, "models": [model]}], [])
    header, row = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert (tuple(header), len(row)) == (HEADER, len(HEADER))
    assert all(cell.isprintable() for cell in row)
    assert not any(cell.lstrip(" ")[:1] in set("=+-@＝＋－＠") for cell in row if cell.strip(" "))
