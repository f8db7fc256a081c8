"""Who has read which model."""

from typing import Any

import pytest

from modelwarden.cli.census_readers import Readers, belongs_to, user_of
from modelwarden.daemon.shards import merge_shards


def reading(identifier: str, *models: dict[str, Any]) -> dict[str, Any]:
    """A workload that has read these."""
    return {"id": identifier, "models": list(models)}


def file(path: str = "/m/a.gguf", *, size: int = 1, **more: Any) -> dict[str, Any]:
    """A model of one file."""
    return {"path": path, "paths": [path], "size": size, **more}


def readers_of(model: dict[str, Any], *workloads: dict[str, Any]) -> list[str]:
    """The workloads' identifiers."""
    return [workload["id"] for workload in Readers(workloads).of(model)]


def test_readers_are_found_by_any_path() -> None:
    """Given a model that was opened by another path since, then its readers are still known, each once."""
    renamed = {**file("/m/b.gguf"), "paths": ["/m/a.gguf", "/m/b.gguf"]}
    assert readers_of(renamed, reading("w1", file()), reading("w2", renamed), reading("w3", file("/m/c"))) == [
        "w1",
        "w2",
    ]


def test_same_path_in_another_container_is_another_file() -> None:
    """Given two files under one path, then size tells them apart."""
    assert readers_of(file(size=2), reading("w1", file(size=1)), reading("w2", file(size=2))) == ["w2"]


def test_who_read_one_part_has_read_the_model() -> None:
    """Given a model of two files, then it does not matter which of them a workload has read."""
    parts = [file(f"/m/a-{one:05}-of-00002.gguf", shard={"index": one, "count": 2}) for one in (1, 2)]
    workloads = [reading("w1", parts[1]), reading("w2", *merge_shards(parts)), reading("w3")]
    assert readers_of(merge_shards(parts)[0], *workloads) == ["w1", "w2"]


@pytest.mark.parametrize(
    ("workload", "name"),
    [
        ({"user": "alice", "uid": 1000}, "alice"),
        ({"user": "1000", "uid": 1000}, "uid 1000"),
        ({"user": None, "uid": 0}, "uid 0"),
        ({}, "unknown user"),
    ],
)
def test_users_have_a_name(workload: dict[str, Any], name: str) -> None:
    """The name, else the number, else that nobody knows."""
    assert user_of(workload) == name


@pytest.mark.parametrize("user", ["root", "0", "eve"])
def test_workload_belongs_to_who_started_it_too(user: str) -> None:
    """Given root's workload for which eve logged in, then it is root's by name and number, and eve's."""
    workload = {"user": "root", "uid": 0, "login_user": "eve"}
    assert belongs_to(workload, ["nobody", user])
    assert not belongs_to(workload, ["nobody", "1000"])
