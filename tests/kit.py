"""What tests of the core are written with: events with defaults for all that does not matter, and a conversation."""

import hashlib
import os
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from modelwarden.daemon.event import (
    FileIdentity,
    FileInspected,
    Inspection,
    PolicyLoaded,
    Remembered,
    Started,
    UserNamed,
)
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.policy import ModelApproval, ModelsPolicy, Policy
from modelwarden.probes.candidate import candidate
from modelwarden.probes.event import EventsLost
from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.kernel.exit import ProcessExited
from modelwarden.probes.kernel.file_change import Change, FileChanged
from modelwarden.probes.kernel.file_map import FileMapped
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel.fork import ProcessForked
from modelwarden.probes.sampled.opens import OpensCounted
from modelwarden.probes.sampled.procfs import FileFound, ProcessFound, Resynced
from modelwarden.probes.sampled.tick import Tick

SECOND = 1_000_000_000
NOW = 10_000 * SECOND
"""When things happen, unless a test says otherwise; boot nanoseconds."""
START = 5_000 * SECOND
"""When every process started, unless a test says otherwise."""
NOW_WALL = 1_767_225_600 * SECOND
"""`NOW` on the wall: 2026-01-01T00:00:00Z."""
WALL_OFFSET = NOW_WALL - NOW
TODAY = date(2026, 1, 1)
DEVICE = 0xFE01
UID = 1000
MOUNT_NS, PID_NS = 4026531841, 4026531836
PID = 100
MODEL = "/m/a.gguf"
SIZE = 1 << 26
LARGE = 32 << 20
TINY = Identity("gguf", name="tiny", architecture="llama", parameters=1_000_000, quantization="Q4_0")

_CommandT = TypeVar("_CommandT")


def inode_of(path: str) -> int:
    """A number that belongs to the path."""
    return int.from_bytes(hashlib.sha256(os.fsencode(path)).digest()[:4], "big")


def file(path: str = MODEL, **more: int) -> FileIdentity:
    """The file at a path, in its first state unless `more` says otherwise."""
    return FileIdentity(
        **{"device": DEVICE, "inode": inode_of(path), "size": SIZE, "mtime_ns": 1, "ctime_ns": 1, **more}
    )


def _task(pid: int, at: int, more: dict[str, Any]) -> dict[str, Any]:
    """What every kernel record says of its process."""
    who = {"uid": UID, "login_uid": UID, "start_ns": START, "mount_ns": MOUNT_NS}
    return {"at": at, "pid": pid, "tid": pid, "cgroup": 1, "pid_ns": PID_NS, **who, **more}


def started(host_id: str = "host", at: int = NOW, wall_offset_ns: int = WALL_OFFSET) -> Started:
    """The daemon begins."""
    return Started(at, host_id, "boot", wall_offset_ns)


def policy(*approved: ModelApproval) -> Policy:
    """A policy with a section for models."""
    return Policy(models=ModelsPolicy(approved=approved))


def policy_loaded(*approved: ModelApproval, at: int = NOW, digest: str = "d1") -> PolicyLoaded:
    """A policy with a section for models takes effect."""
    return PolicyLoaded(at, policy(*approved), digest)


def forked(pid: int = PID, child: int = PID + 1, child_start: int = START, at: int = NOW, **more: int) -> ProcessForked:
    """A process makes another."""
    return ProcessForked(**_task(pid, at, more), child_start_ns=child_start, child_pid=child, reserved=0)


def executed(
    pid: int = PID, path: str = "/usr/bin/llama", arguments: tuple[str, ...] = ("llama",), at: int = NOW, **more: int
) -> ProcessExecuted:
    """A process becomes a program; it is a child of process 1 unless `more` says otherwise."""
    parent = {"parent_pid": more.pop("parent_pid", 1), "parent_start_ns": more.pop("parent_start_ns", START)}
    cut = {"path_cut": more.pop("path_cut", 0), "arguments_cut": 0, "reserved": 0}
    program = {"device": DEVICE, "inode": inode_of(path), "ctime_ns": 1}
    return ProcessExecuted(**_task(pid, at, more), **parent, **cut, **program, path=path, arguments=arguments)


def exited(pid: int = PID, at: int = NOW, **more: int) -> ProcessExited:
    """A process ends."""
    return ProcessExited(**_task(pid, at, more), exit_code=0, reserved=0)


def opened(
    path: str = MODEL,
    pid: int = PID,
    at: int = NOW,
    identity: FileIdentity | None = None,
    flags: int = os.O_RDONLY,
    reasons: int | None = None,
    **more: int,
) -> FileOpened:
    """A process opens a file; `reasons` are those of the kernel's filter unless given."""
    used = _used(path, identity or file(path), flags, reasons, more)
    return FileOpened(**_task(pid, at, more), **used)


def mapped(
    path: str = MODEL,
    pid: int = PID,
    at: int = NOW,
    identity: FileIdentity | None = None,
    flags: int = os.O_RDONLY,
    reasons: int | None = None,
    **more: int,
) -> FileMapped:
    """A process maps a file that it was not seen opening."""
    used = _used(path, identity or file(path), flags, reasons, more)
    return FileMapped(**_task(pid, at, more), **used)


def _used(path: str, which: FileIdentity, flags: int, reasons: int | None, more: dict[str, int]) -> dict[str, Any]:
    if reasons is None:
        reasons = int(candidate(path.rpartition("/")[2], which.size, LARGE))
    return {
        "device": which.device,
        "inode": which.inode,
        "size": which.size,
        "mtime_ns": which.mtime_ns,
        "ctime_ns": which.ctime_ns,
        "open_flags": flags,
        "reasons": reasons,
        "path_cut": more.pop("path_cut", 0),
        "created": more.pop("created", 0),
        "path": path,
    }


def changed(
    action: Change = Change.RENAME,
    path: str = MODEL,
    source: str = "",
    pid: int = PID,
    at: int = NOW,
    *,
    identity: FileIdentity | None = None,
    other: FileIdentity | None = None,
    reasons: int = 1,
    **more: int,
) -> FileChanged:
    """A process changes the name or the size of a file; without `identity` only the names are known."""
    which = identity or FileIdentity(0, 0, 0, 0, 0)
    return FileChanged(
        **_task(pid, at, more),
        device=which.device,
        inode=which.inode,
        size=which.size,
        mtime_ns=which.mtime_ns,
        ctime_ns=which.ctime_ns,
        other_device=other.device if other else 0,
        other_inode=other.inode if other else 0,
        action=int(action),
        reasons=reasons,
        path_cut=0,
        source_cut=0,
        path=path,
        source=source,
    )


def counted(
    count: int,
    path: str = MODEL,
    pid: int = PID,
    at: int = NOW,
    identity: FileIdentity | None = None,
    access: int = os.O_RDONLY,
    start_ns: int = START,
) -> OpensCounted:
    """A process opened a file again."""
    which = identity or file(path)
    return OpensCounted(at, pid, start_ns, which.device, which.inode, which.ctime_ns, access, count)


def process_found(
    pid: int = PID,
    path: str | None = "/usr/bin/llama",
    arguments: tuple[str, ...] = ("llama",),
    at: int = NOW,
    start_ns: int = START,
    parent_pid: int = 1,
    uid: int = UID,
    *,
    cgroup: int = 1,
) -> ProcessFound:
    """/proc shows a process."""
    return ProcessFound(at, pid, start_ns, parent_pid, uid, uid, MOUNT_NS, PID_NS, path, arguments, cgroup)


def file_found(
    path: str = MODEL,
    pid: int = PID,
    at: int = NOW,
    identity: FileIdentity | None = None,
    start_ns: int = START,
    *,
    mapped: bool = False,
    writable: bool = False,
    reasons: int | None = None,
) -> FileFound:
    """/proc shows a candidate that a process holds."""
    which = identity or file(path)
    return FileFound(
        at=at,
        pid=pid,
        start_ns=start_ns,
        device=which.device,
        inode=which.inode,
        size=which.size,
        mtime_ns=which.mtime_ns,
        ctime_ns=which.ctime_ns,
        path=path,
        reasons=int(candidate(path.rpartition("/")[2], which.size, LARGE)) if reasons is None else reasons,
        mapped=mapped,
        writable=writable,
    )


def resynced(at: int = NOW) -> Resynced:
    """A look at the system is complete."""
    return Resynced(at, 1)


def is_model(
    path: str = MODEL, what: Identity = TINY, at: int = NOW, which: FileIdentity | None = None
) -> FileInspected:
    """The inspector found a model."""
    return FileInspected(at, which or file(path), Inspection.MODEL, what, None)


def is_no_model(path: str = MODEL, at: int = NOW, which: FileIdentity | None = None) -> FileInspected:
    """The inspector found something else."""
    return FileInspected(at, which or file(path), Inspection.NOT_A_MODEL, None, None)


def not_read(
    path: str = MODEL,
    outcome: Inspection = Inspection.GONE,
    reason: str = "it is gone",
    at: int = NOW,
    which: FileIdentity | None = None,
) -> FileInspected:
    """The inspector could not say."""
    return FileInspected(at, which or file(path), outcome, None, reason)


def user_named(uid: int = UID, name: str | None = "alice", at: int = NOW) -> UserNamed:
    """The system knows a user."""
    return UserNamed(at, uid, name)


def remembered(
    models: Iterable[tuple[str, dict[str, Any]]] = (),
    workloads: Iterable[dict[str, Any]] = (),
    alerts: Iterable[dict[str, Any]] = (),
    at: int = NOW,
) -> Remembered:
    """What an earlier run had stored."""
    return Remembered(at, tuple(models), tuple(workloads), tuple(alerts))


def lost(count: int = 1, place: str = "ring", probe: str = "file_open", at: int = NOW) -> EventsLost:
    """Events found no room."""
    return EventsLost(at, place, probe, count)


def tick(at: int = NOW, wall_offset_ns: int = WALL_OFFSET) -> Tick:
    """Time has passed."""
    return Tick(at, wall_offset_ns)


def of(kind: type[_CommandT], commands: Iterable[object]) -> list[_CommandT]:
    """The commands of one kind."""
    return [one for one in commands if isinstance(one, kind)]
