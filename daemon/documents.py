"""The objects of the JSON contract (docs/contract.md), made from what the core knows."""

from pathlib import PurePosixPath

from modelwarden.daemon.alerts.alert import Alert
from modelwarden.daemon.identify.containers.reading.placement import application_of_path
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.model.files import ModelFile, Standing
from modelwarden.daemon.model.groups import container_name
from modelwarden.daemon.model.processes import Process, Processes, user_id
from modelwarden.daemon.model.workloads import Workload
from modelwarden.daemon.model.world import World
from modelwarden.daemon.snapshot import Document
from modelwarden.daemon.times import to_rfc3339

Users = dict[int, str | None]
PROCESSES_MAX = 64
MODELS_MAX = 64


def user_name(users: Users, uid: int) -> str | None:
    """The name of a user, else the number as text, `None` for nobody."""
    if user_id(uid) is None:
        return None
    return users.get(uid) or str(uid)


def model_document(entry: ModelFile) -> Document:
    """MODEL. It is verified when its content has been summed up and no claim contradicts that."""
    identity, claimed = entry.identity, entry.origin and entry.origin.digest
    return {
        "path": entry.path,
        "paths": list(entry.paths),
        "format": identity.format if identity else None,
        "reason": entry.reason or (identity.problem if identity else None),
        "name": identity.name if identity else None,
        "architecture": identity.architecture if identity else None,
        "parameters": identity.parameters if identity else None,
        "quantization": identity.quantization if identity else None,
        "license": (identity.license if identity else None) or (entry.origin.license if entry.origin else None),
        "size": entry.file.size,
        "shard": {"index": part.index, "count": part.count} if identity and (part := identity.shard) else None,
        "tensor_types": dict(identity.tensor_types) if identity else {},
        "sha256": entry.sha256,
        "verified": entry.sha256 is not None and claimed in {None, entry.sha256},
        "origin": _origin_document(entry.origin) if entry.origin else None,
        "verdict": "pending" if entry.standing is not Standing.UNKNOWN else "unscannable",
        "findings": [],
        "opens": entry.opens,
        "first_seen": to_rfc3339(entry.first_seen_ns),
        "last_seen": to_rfc3339(entry.last_seen_ns),
    }


def _origin_document(origin: Source) -> Document:
    """Where a model came from, as its store says; the last four only where it does."""
    more = {"file": origin.file, "name": origin.name, "role": origin.role, "remote_host": origin.remote_host}
    return {
        "kind": origin.kind,
        "repository": origin.repository,
        "revision": origin.revision,
        **{key: value for key, value in more.items() if value is not None},
    }


def process_document(process: Process) -> Document:
    """One process of a workload."""
    return {"pid": process.pid, "exe": process.path, "cmdline": " ".join(process.arguments) or None}


def workload_document(workload: Workload, world: World) -> Document:
    """One workload of the census; what later releases learn to see is empty or `null`."""
    users, head = world.users, workload.head
    placement = world.groups.of(head)
    description = world.groups.describe(world.groups.container_of(head))
    shown = [*workload.living.values(), *reversed(workload.ended.values())][:PROCESSES_MAX]
    models = [model_document(entry) for entry in list(workload.models.values())[-MODELS_MAX:]]
    paths = {model["path"] for model in models}
    models += [model for model in workload.earlier_models if model.get("path") not in paths]
    return {
        "id": workload.id,
        "runtime": workload.runtime,
        "why": list(workload.why),
        "tier": None,
        "user": user_name(users, workload.uid),
        "uid": workload.uid,
        "login_user": user_name(users, head.login_uid),
        "session": world.groups.session_of(head),
        "exe": workload.exe,
        "unit": placement.unit,
        "container": container_name(placement.container, description) if placement.container else None,
        "container_image": description.image,
        "application": placement.application or application_of_path(workload.exe or ""),
        "namespaces": {"mount": head.mount_ns, "pid": head.pid_ns},
        "processes": [process_document(process) for process in shown],
        "models": models[:MODELS_MAX],
        "accelerators": [],
        "listeners": [],
        "clients": [],
        "destinations": [],
        "data": [],
        "first_seen": to_rfc3339(workload.first_seen_ns),
        "last_seen": to_rfc3339(workload.last_seen_ns),
        "running": workload.running,
    }


def actor_document(process: Process, processes: Processes, users: Users) -> Document:
    """The process of an alert, with where it comes from."""
    return {
        **process_document(process),
        "user": user_name(users, process.uid),
        "login_user": user_name(users, process.login_uid),
        "lineage": [process_document(ancestor) for ancestor in processes.lineage(process)],
    }


def alert_document(alert: Alert) -> Document:
    """One alert; its status is a person's and lives in the state."""
    return {
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity.value,
        "title": alert.title,
        "status": "open",
        "tier": alert.tier,
        "host_id": alert.host_id,
        "workload": alert.workload,
        "subject": alert.subject,
        "model": alert.model,
        "process": alert.process,
        "techniques": list(alert.techniques),
        "evidence": [{"at": to_rfc3339(one.at_ns), "what": one.what} for one in alert.evidence],
        "count": alert.count,
        "first_seen": to_rfc3339(alert.first_seen_ns),
        "last_seen": to_rfc3339(alert.last_seen_ns),
        "what_to_do": alert.what_to_do,
    }


def describe_model(entry: ModelFile) -> str:
    """A model in one phrase: `tiny (gguf, llama, Q4_0)`."""
    identity = entry.identity
    name = (identity and identity.name) or PurePosixPath(entry.path).name
    facts = [identity.format, identity.architecture, identity.quantization] if identity else ["not identified"]
    return f"{name} ({', '.join(fact for fact in facts if fact)})"
