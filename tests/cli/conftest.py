"""A state as the daemon leaves it, for the commands that read one."""

from pathlib import Path
from typing import Any

import pytest

from modelwarden.daemon.state import State

SEEN = "2026-01-01T00:00:00Z"


def model(**more: Any) -> dict[str, Any]:
    """A model of the contract."""
    return {
        "path": "/srv/models/tiny.gguf", "paths": ["/srv/models/tiny.gguf"], "format": "gguf", "reason": None,
        "name": "tiny", "architecture": "llama", "parameters": 1_000_000, "quantization": "Q4_K_M", "license": None,
        "size": 4_920_000_000, "sha256": None, "verified": False, "origin": None, "verdict": "pending",
        "findings": [], "opens": 3, "first_seen": SEEN, "last_seen": SEEN, **more,
    }  # fmt: skip


def workload(**more: Any) -> dict[str, Any]:
    """A workload of the contract."""
    return {
        "id": "w1", "runtime": "llama.cpp", "why": ["read weights"], "tier": None, "user": "alice", "uid": 1000,
        "exe": "/usr/bin/llama-server", "unit": None, "container": None,
        "processes": [{"pid": 7, "exe": "/usr/bin/llama-server", "cmdline": "llama-server -m tiny.gguf"}],
        "models": [model()], "accelerators": [], "listeners": [], "clients": [], "destinations": [], "data": [],
        "first_seen": SEEN, "last_seen": SEEN, "running": True, **more,
    }  # fmt: skip


def alert(**more: Any) -> dict[str, Any]:
    """An alert of the contract."""
    return {
        "id": "abc1", "rule": "unapproved_model", "severity": "medium", "title": "A model that nobody approved",
        "status": "open", "tier": None, "host_id": "h1", "workload": "w1", "subject": "tiny", "model": model(),
        "process": {
            "pid": 7, "exe": "/usr/bin/llama-server", "cmdline": "llama-server -m tiny.gguf", "user": "alice",
            "login_user": "bob",
            "lineage": [
                {"pid": 6, "exe": "/usr/bin/bash", "cmdline": "bash"},
                {"pid": 5, "exe": "/usr/sbin/sshd", "cmdline": None},
            ],
        },
        "techniques": ["AML.T0010"], "evidence": [{"at": SEEN, "what": "opened /srv/models/tiny.gguf"}], "count": 3,
        "first_seen": SEEN, "last_seen": SEEN, "what_to_do": "Ask alice why.", **more,
    }  # fmt: skip


class Seen:
    """The daemon's hand: puts things into the state."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def census(self, *workloads: dict[str, Any], models: tuple[dict[str, Any], ...] = ()) -> None:
        """What was seen."""
        with State.open(self.directory) as state:
            state.save_census([(f"1:{number}", item) for number, item in enumerate(models)], workloads)
            state.remember_meta("host_id", "h1")
            state.remember_meta("generated_at", SEEN)

    def alerts(self, *alerts: dict[str, Any]) -> None:
        """What was found."""
        with State.open(self.directory) as state:
            state.save_alerts(alerts)


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """A state to fill."""
    return Seen(tmp_path / "state")


@pytest.fixture
def a_model() -> Any:
    """Makes models of the contract."""
    return model


@pytest.fixture
def a_workload() -> Any:
    """Makes workloads of the contract."""
    return workload


@pytest.fixture
def an_alert() -> Any:
    """Makes alerts of the contract."""
    return alert
