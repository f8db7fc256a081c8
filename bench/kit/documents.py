"""A state as the daemon leaves it, with as many rows in each table as a benchmark wants."""

from pathlib import Path
from typing import Any

from modelwarden.daemon.state import State

SEEN = "2026-01-01T00:00:00Z"


def fill(directory: Path, rows: int) -> None:
    """So many models, workloads and alerts."""
    numbers = range(rows)
    with State.open(directory) as state:
        state.save_census(((f"1:{number}", model(number)) for number in numbers), map(workload, numbers))
        state.save_alerts(map(alert, numbers))
        state.remember_meta("host_id", "0" * 32)
        state.remember_meta("generated_at", SEEN)


def model(number: int) -> dict[str, Any]:
    """MODEL of the contract."""
    path = f"/srv/models/model-{number}.gguf"
    return {
        "path": path, "paths": [path], "format": "gguf", "reason": None, "name": f"model {number}",
        "architecture": "llama", "parameters": 8_030_000_000, "quantization": "Q4_K_M", "license": "llama3.1",
        "size": 4_920_000_000 + number, "shard": None, "tensor_types": {"Q4_K": 8_000_000_000, "F32": 30_000_000},
        "sha256": f"{number:064x}", "verified": number % 3 == 0, "verdict": "pending", "findings": [], "opens": number,
        "origin": {
            "kind": "huggingface", "repository": f"somebody/model-{number}-GGUF", "revision": f"{number:040x}",
            "name": None, "file": f"model-{number}.gguf", "remote_host": None,
        },
        "first_seen": SEEN, "last_seen": SEEN,
    }  # fmt: skip


def process(number: int) -> dict[str, Any]:
    """A process of the contract."""
    return {"pid": number, "exe": "/usr/bin/llama-server", "cmdline": f"llama-server -m /srv/models/{number}.gguf"}


def workload(number: int) -> dict[str, Any]:
    """A workload of the contract, with two processes and two models."""
    return {
        "id": f"w-{number:012x}", "runtime": "llama.cpp", "why": [f"weights read: model {number}"], "tier": None,
        "user": "alice", "uid": 1000, "login_user": "alice", "session": "3", "exe": "/usr/bin/llama-server",
        "unit": "session-3.scope", "container": f"docker:{number:012x}", "container_image": None, "application": None,
        "processes": [process(number), process(number + 1)], "models": [model(number), model(number + 1)],
        "accelerators": [], "listeners": [], "clients": [], "destinations": [], "data": [],
        "first_seen": SEEN, "last_seen": SEEN, "running": number % 2 == 0,
    }  # fmt: skip


def alert(number: int) -> dict[str, Any]:
    """An alert of the contract, with a timeline of sixteen."""
    who = {"user": "alice", "login_user": "alice", "lineage": [process(2), process(1)]}
    return {
        "id": f"a-{number:012x}", "rule": "unapproved_model", "severity": "medium", "title": "Unapproved model in use",
        "status": "open", "tier": None, "host_id": "0" * 32, "workload": f"w-{number:012x}",
        "subject": f"model:gguf:model {number}", "model": model(number), "process": {**process(number), **who},
        "techniques": ["AML.T0010.003", "T1195"],
        "evidence": [{"at": SEEN, "what": f"opened for the {time}. time"} for time in range(16)],
        "count": 3, "first_seen": SEEN, "last_seen": SEEN, "what_to_do": "Ask alice why.",
    }  # fmt: skip
