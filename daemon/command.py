"""The orders that the core gives to the shell; each answer comes back as an event."""

from dataclasses import dataclass

from modelwarden.daemon.alerts.alert import Alert
from modelwarden.daemon.event import FileIdentity
from modelwarden.daemon.identify.containers.engine import Container


@dataclass(frozen=True, slots=True)
class InspectFile:
    """Find the file and say what it is; answered by `FileInspected`."""

    file: FileIdentity
    path: str
    """As the mount namespace of the processes below has it; a hint, never proof."""
    pids: tuple[int, ...]
    """Processes through which to look for it, best first: their root directories and descriptors."""


@dataclass(frozen=True, slots=True)
class HashFile:
    """Say what the SHA-256 of the file is, in the background; answered by `FileHashed`."""

    file: FileIdentity
    path: str
    pids: tuple[int, ...]
    """As of `InspectFile`."""


@dataclass(frozen=True, slots=True)
class DescribeContainer:
    """Look up a container's name and image in the files of its engine; answered by `ContainerDescribed`."""

    container: Container
    uid: int
    """Whose cgroup it is, for engines that run without root: their files lie in his home."""


@dataclass(frozen=True, slots=True)
class WatchProcess:
    """Confirm (`watched`) or clear the kernel's mark on a process."""

    pid: int
    start_ns: int
    watched: bool


@dataclass(frozen=True, slots=True)
class RememberFile:
    """Tell the kernel filter what the inspector found: a model marks its openers, others fall silent."""

    file: FileIdentity
    is_model: bool


@dataclass(frozen=True, slots=True)
class NameUser:
    """Ask the system for a user's name; answered by `UserNamed`."""

    uid: int


@dataclass(frozen=True, slots=True)
class FindProcess:
    """Ask the system about a process that appeared without its beginning; answered by `ProcessFound`, if it lives."""

    pid: int


@dataclass(frozen=True, slots=True)
class Resync:
    """Look at the running system again, because events were lost; answered by facts, then `Resynced`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Raise:
    """Store an alert, new or grown, and tell everybody who listens."""

    alert: Alert
    is_new: bool


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell whoever watches the terminal or the log: a constant message with fields."""

    message: str
    fields: tuple[tuple[str, str | int | None], ...]


Command = (
    InspectFile
    | HashFile
    | DescribeContainer
    | WatchProcess
    | RememberFile
    | NameUser
    | FindProcess
    | Resync
    | Raise
    | Announce
)
