"""Rows of the core's tables with defaults for all that does not matter, for tests of what reads them."""

from typing import Any

from tests.kit import MODEL, MOUNT_NS, NOW, NOW_WALL, PID, START, UID, file

from modelwarden.daemon.alerts.alert import Alert, Evidence, Severity
from modelwarden.daemon.model.files import ModelFile
from modelwarden.daemon.model.processes import Process
from modelwarden.daemon.model.workloads import Workload
from modelwarden.daemon.model.world import ModelUsed


def process(pid: int = PID, **more: Any) -> Process:
    """A process of the table."""
    who = {"parent": None, "uid": UID, "login_uid": UID, "mount_ns": MOUNT_NS, "path": "/usr/bin/llama"}
    return Process(**{"pid": pid, "start_ns": START, **who, **more})


def model_file(path: str = MODEL, **more: Any) -> ModelFile:
    """A file of the table."""
    return ModelFile(**{"file": file(path), "path": path, "paths": [path], **_seen(), **more})


def workload(identifier: str = "w-1", **more: Any) -> Workload:
    """A workload of the table."""
    return Workload(**{"id": identifier, "head": process(), "uid": UID, "exe": "/usr/bin/llama", **_seen(), **more})


def _seen() -> dict[str, int]:
    return {"first_seen_ns": NOW_WALL, "last_seen_ns": NOW_WALL}


def alert(identifier: str = "a-1", *evidence: str, at_ns: int = NOW_WALL, **more: Any) -> Alert:
    """An alert with this evidence, all of one moment."""
    facts: dict[str, Any] = {
        "id": identifier,
        "rule": "unapproved_model",
        "severity": Severity.MEDIUM,
        "title": "Unapproved model in use",
        "tier": None,
        "host_id": "host",
        "workload": "w-1",
        "subject": "model:gguf:tiny",
        "model": {"path": MODEL},
        "process": {"pid": PID},
        "techniques": ("AML.T0010.003",),
        "evidence": tuple(Evidence(at_ns, what) for what in evidence or ("it was opened",)),
        "count": 1,
        "first_seen_ns": at_ns,
        "last_seen_ns": at_ns,
        "what_to_do": "Ask alice.",
    }
    return Alert(**{**facts, **more})


def used(model: ModelFile | None = None, *, first: bool = True, count: int = 1, **more: Any) -> ModelUsed:
    """A use of a model, as rules are asked about."""
    facts: dict[str, Any] = {"workload": workload(), "process": process(), "model": model or model_file(), **more}
    return ModelUsed(at=NOW, count=count, first=first, **facts)
