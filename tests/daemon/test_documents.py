"""The objects of the JSON contract."""

import json
from dataclasses import replace

import pytest
from tests.kit import MODEL, PID, SIZE, START, TINY, executed, file, forked, inode_of
from tests.rows import alert, model_file, process, workload

from modelwarden.daemon.documents import (
    MODELS_MAX,
    PROCESSES_MAX,
    actor_document,
    alert_document,
    describe_model,
    model_document,
    process_document,
    user_name,
    workload_document,
)
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.identify.sniffer import Identity, Shard
from modelwarden.daemon.model.files import Standing
from modelwarden.daemon.model.processes import Processes
from modelwarden.daemon.model.world import World
from modelwarden.probes.sampled.procfs import NOBODY

SHA = "ab" * 32
SEEN = "2026-01-01T00:00:00.000000Z"
WORKLOAD_KEYS = [
    "id", "runtime", "why", "tier", "user", "uid", "login_user", "session", "exe", "unit", "container",
    "container_image", "application", "namespaces", "processes", "models", "accelerators", "listeners", "clients",
    "destinations", "data", "first_seen", "last_seen", "running",
]  # fmt: skip
ALERT_KEYS = [
    "id", "rule", "severity", "title", "status", "tier", "host_id", "workload",
    "subject", "model", "process", "techniques", "evidence", "count", "first_seen", "last_seen", "what_to_do",
]  # fmt: skip


def test_model() -> None:
    """MODEL says what the file says of itself, and that nothing of it is verified before its content is known."""
    document = model_document(model_file(standing=Standing.MODEL, identity=TINY, opens=3))
    assert document == {
        "path": MODEL, "paths": [MODEL], "format": "gguf", "reason": None, "name": "tiny", "architecture": "llama",
        "parameters": 1_000_000, "quantization": "Q4_0", "license": None, "size": SIZE, "shard": None,
        "tensor_types": {}, "sha256": None, "verified": False, "origin": None, "verdict": "pending",
        "findings": [], "opens": 3, "first_seen": SEEN, "last_seen": SEEN,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sha256", "claimed", "verified"), [(None, None, False), (None, SHA, False), (SHA, None, True), (SHA, SHA, True),
                                        (SHA, "cd" * 32, False)]
)  # fmt: skip
def test_model_is_verified_by_its_content(sha256: str | None, claimed: str | None, verified: bool) -> None:
    """A known sum verifies what is said of the model, unless the store claims another."""
    document = model_document(model_file(sha256=sha256, origin=Source("ollama", digest=claimed)))
    assert (document["sha256"], document["verified"]) == (sha256, verified)


def test_model_has_its_origin() -> None:
    """Where it came from has three keys always, and more where the store tells more."""
    document = model_document(model_file(origin=Source("ollama", "registry.ollama.ai/library/tiny")))
    assert document["origin"] == {
        "kind": "ollama", "repository": "registry.ollama.ai/library/tiny", "revision": None
    }  # fmt: skip
    full = Source("x", "r", "main", file="a.gguf", name="tiny:1b", role="model", digest=SHA, remote_host="a.example")
    assert model_document(model_file(origin=full))["origin"] == {
        "kind": "x", "repository": "r", "revision": "main", "file": "a.gguf", "name": "tiny:1b",
        "role": "model", "remote_host": "a.example",
    }  # fmt: skip


def test_licence_of_the_store_where_the_file_says_none() -> None:
    """A card or a manifest may say what the weights do not; what they say counts first."""
    origin = Source("x", license="mit")
    silent, speaking = Identity("gguf"), Identity("gguf", license="apache-2.0")
    assert model_document(model_file(origin=origin, identity=silent))["license"] == "mit"
    assert model_document(model_file(origin=origin, identity=speaking))["license"] == "apache-2.0"


def test_model_that_was_not_read() -> None:
    """Unknown is null, with the reason why."""
    document = model_document(model_file(standing=Standing.UNKNOWN, reason="it is gone"))
    assert (document["format"], document["name"], document["parameters"]) == (None, None, None)
    assert (document["reason"], document["verdict"]) == ("it is gone", "unscannable")


def test_model_that_was_read_in_part() -> None:
    """A problem of the file is the reason."""
    damaged = Identity("gguf", problem="it ends early")
    assert model_document(model_file(standing=Standing.MODEL, identity=damaged))["reason"] == "it ends early"


def test_model_in_parts() -> None:
    """A part says which one it is, and how its own weights are stored."""
    part = replace(TINY, shard=Shard(2, 5), tensor_types=(("Q4_0", 900), ("F32", 100)))
    document = model_document(model_file(standing=Standing.MODEL, identity=part))
    assert document["shard"] == {"index": 2, "count": 5}
    assert document["tensor_types"] == {"Q4_0": 900, "F32": 100}


def test_document_is_a_copy() -> None:
    """What was handed to another thread does not change when the model does."""
    entry = model_file()
    document = model_document(entry)
    entry.paths.append("/m/b.gguf")
    assert document["paths"] == [MODEL]


def test_workload() -> None:
    """A workload has its user by name, what runs, what it read, and empty places for what we cannot see yet."""
    one = workload(why=["weights read: tiny"])
    one.living[process().key] = process(arguments=("llama", "-m", "x"))
    one.ended[process(7).key] = process(7, path=None)
    one.models[model_file().key] = model_file()
    document = workload_document(one, World(users={1000: "alice"}))
    assert list(document) == WORKLOAD_KEYS
    assert (document["user"], document["uid"], document["exe"]) == ("alice", 1000, "/usr/bin/llama")
    assert document["running"]
    assert document["processes"] == [
        {"pid": PID, "exe": "/usr/bin/llama", "cmdline": "llama -m x"},
        {"pid": 7, "exe": None, "cmdline": None},
    ]
    assert [model["path"] for model in document["models"]] == [MODEL]
    assert (document["listeners"], document["runtime"]) == ([], None)


def test_workload_is_bounded() -> None:
    """The latest models are shown, and living processes before those that ended."""
    one = workload(earlier_models=({"path": "/m/early.gguf"},))
    for number in range(PROCESSES_MAX + 5):
        one.living[number, 0] = process(number)
    one.ended[9999, 0] = process(9999)
    for number in range(MODELS_MAX + 5):
        one.models[1, number] = model_file(f"/m/{number}.gguf")
    document = workload_document(one, World())
    assert [shown["pid"] for shown in document["processes"]] == list(range(PROCESSES_MAX))
    assert [model["path"] for model in document["models"]] == [f"/m/{n}.gguf" for n in range(5, MODELS_MAX + 5)]


def test_earlier_models_are_shown_until_they_are_seen_again() -> None:
    """What an earlier run saw stands behind what this one saw, each path once."""
    one = workload(earlier_models=({"path": MODEL, "opens": 1}, {"path": "/m/old.gguf"}))
    one.models[model_file().key] = model_file(opens=2)
    shown = workload_document(one, World())["models"]
    assert [(model["path"], model.get("opens")) for model in shown] == [(MODEL, 2), ("/m/old.gguf", None)]


def test_alert() -> None:
    """An alert has its times as text and begins open."""
    document = alert_document(alert("a-1", "it was opened"))
    assert list(document) == ALERT_KEYS
    assert (document["severity"], document["status"]) == ("medium", "open")
    assert document["evidence"] == [{"at": SEEN, "what": "it was opened"}]


def test_documents_are_json() -> None:
    """All of it can be written as JSON, hostile names too."""
    one = workload(exe="/bin/\udcff\n")
    one.models[1, 1] = model_file("/m/\udcff.gguf")
    for document in (workload_document(one, World()), alert_document(alert())):
        assert json.loads(json.dumps(document)) == document


def test_actor_has_its_lineage() -> None:
    """The process of an alert comes with its ancestors, nearest first, and with who logged in."""
    processes = Processes()
    processes.executed(executed(5, "/usr/sbin/sshd", ("sshd",)))
    processes.forked(forked(5, 6))
    processes.executed(executed(6, "/bin/bash", ("bash",), parent_pid=5))
    processes.forked(forked(6, 7, uid=0))
    actor = processes.get(7, START)
    assert actor is not None
    document = actor_document(actor, processes, {0: "root", 1000: "alice"})
    assert (document["user"], document["login_user"]) == ("root", "alice")
    assert [one["exe"] for one in document["lineage"]] == ["/bin/bash", "/usr/sbin/sshd"]
    assert list(process_document(actor)) == ["pid", "exe", "cmdline"]


@pytest.mark.parametrize(("uid", "name"), [(1, "one"), (2, "2"), (3, "3"), (NOBODY, None)])
def test_user_name(uid: int, name: str | None) -> None:
    """A name, else the number; nobody is null."""
    assert user_name({1: "one", 2: None}, uid) == name


def test_describe_model() -> None:
    """One phrase, with the file's name where the model has none."""
    assert describe_model(model_file(identity=TINY)) == "tiny (gguf, llama, Q4_0)"
    assert describe_model(model_file(identity=Identity("gguf"))) == "a.gguf (gguf)"
    assert describe_model(model_file()) == "a.gguf (not identified)"
    assert describe_model(model_file(identity=replace(TINY, name=""))) == "a.gguf (gguf, llama, Q4_0)"
    assert file().inode == inode_of(MODEL)
