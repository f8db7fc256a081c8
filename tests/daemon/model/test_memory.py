"""What an earlier run had seen."""

from typing import Any

import pytest
from tests.kit import MODEL, NOW_WALL, SECOND, file, remembered
from tests.rows import model_file, workload

from modelwarden.daemon.model.memory import Memory
from modelwarden.daemon.times import to_rfc3339

EARLIER = NOW_WALL - 1000 * SECOND
KEY = f"{file().device}:{file().inode}"


def document(**more: Any) -> dict[str, Any]:
    """A model as the state kept it."""
    facts = {"size": file().size, "paths": ["/m/old.gguf", MODEL], "first_seen": to_rfc3339(EARLIER), "opens": 41}
    return {**facts, **more}


def test_model_goes_on_counting() -> None:
    """Given a model of an earlier run, then its count, its first time and its paths continue, once."""
    memory = Memory()
    memory.recall(remembered([(KEY, document())]))
    entry = model_file()
    memory.restore_model(entry)
    assert (entry.opens, entry.first_seen_ns, entry.paths) == (41, EARLIER, ["/m/old.gguf", MODEL])
    again = model_file()
    memory.restore_model(again)
    assert (again.opens, again.first_seen_ns) == (0, NOW_WALL)


@pytest.mark.parametrize(
    "other", [{"size": 1}, {"paths": ["/m/other.gguf"]}, {"paths": []}], ids=["size", "path", "no path"]
)
def test_another_file_under_the_number_has_no_history(other: dict[str, Any]) -> None:
    """Numbers of files are given away again: size and path must agree."""
    memory = Memory()
    memory.recall(remembered([(KEY, document(**other))]))
    entry = model_file()
    memory.restore_model(entry)
    assert (entry.opens, entry.first_seen_ns, entry.paths) == (0, NOW_WALL, [MODEL])


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        document(first_seen="yesterday"),
        document(first_seen="2026-01-01T00:00:00"),
        document(first_seen=None),
        document(opens="many"),
        document(opens=float("inf")),
        document(paths=5),
        [],
        None,
        "text",
    ],
    ids=repr,
)
def test_damaged_model_is_passed_over(damaged: Any) -> None:
    """A state that somebody edited is no reason to fail, nor to take half of a document."""
    memory = Memory()
    memory.recall(remembered([(KEY, damaged)]))
    entry = model_file()
    memory.restore_model(entry)
    assert (entry.opens, entry.first_seen_ns, entry.paths) == (0, NOW_WALL, [MODEL])


def test_workload_gets_its_history_back() -> None:
    """Given a workload of an earlier run, then its first time, its reasons and its models are there again."""
    models = [{"path": "/m/old.gguf"}, "damaged"]
    known = {"id": "w-1", "first_seen": to_rfc3339(EARLIER), "why": ["weights read: old"], "models": models}
    memory = Memory()
    memory.recall(remembered(workloads=[known]))
    one = workload()
    memory.restore_workload(one)
    assert (one.first_seen_ns, one.why, one.earlier_models) == (
        EARLIER,
        ["weights read: old"],
        ({"path": "/m/old.gguf"},),
    )
    other = workload("w-2")
    memory.restore_workload(other)
    assert (other.first_seen_ns, other.why) == (NOW_WALL, [])


@pytest.mark.parametrize("damaged", [{"id": "w-1"}, {"id": "w-1", "first_seen": 7}, {}, [], "text", None], ids=repr)
def test_damaged_workload_is_passed_over(damaged: Any) -> None:
    """Whatever stands where a workload should, the daemon starts."""
    memory = Memory()
    memory.recall(remembered(workloads=[damaged]))
    one = workload()
    memory.restore_workload(one)
    assert (one.first_seen_ns, one.earlier_models) == (NOW_WALL, ())
