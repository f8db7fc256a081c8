"""The facts that the shell reports to the core, beside those that the probes send."""

from dataclasses import dataclass
from enum import StrEnum

from modelwarden.daemon.identify.containers.engine import Container, Description
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.policy import Policy
from modelwarden.probes.event import Event


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The daemon began to think: what the core must know of the host to name things."""

    host_id: str
    boot_id: str
    wall_offset_ns: int
    """Add it to an `at` to get nanoseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Stopping(Event):
    """The daemon is about to end: what waits to be told is told now."""


@dataclass(frozen=True, slots=True)
class PolicyLoaded(Event):
    """A policy took effect; it replaces the one before as a whole."""

    policy: Policy
    digest: str
    """SHA-256 of the policy file's bytes, `none` when there is no file."""


class Inspection(StrEnum):
    """How the inspection of a file ended."""

    MODEL = "model"
    NOT_A_MODEL = "not_a_model"
    CHANGED = "changed"
    """Another file, or another content, stands where the opened one was."""
    GONE = "gone"
    """No way leads to the file any more."""
    UNREADABLE = "unreadable"
    """It could not be read: a FUSE file that never answered, an I/O error, a reader that died on it."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file, in which state: two opens with equal identities read the same bytes."""

    device: int
    """As the kernel's superblock has it; on btrfs and overlayfs `stat` shows another."""
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class FileInspected(Event):
    """The answer to `InspectFile`."""

    file: FileIdentity
    outcome: Inspection
    identity: Identity | None
    """What the file is, when the outcome is `model`."""
    reason: str | None
    """Why it could not be read, in words for a person."""
    origin: Source | None = None
    """Where the store in which it lies says that it came from, when the outcome is `model`."""


@dataclass(frozen=True, slots=True)
class FileHashed(Event):
    """The answer to `HashFile`."""

    file: FileIdentity
    sha256: str | None
    """64 lower-case hexadecimal digits; `None` when it could not be had."""
    reason: str | None
    """Why not, in words for a person."""


@dataclass(frozen=True, slots=True)
class ContainerDescribed(Event):
    """The answer to `DescribeContainer`."""

    container: Container
    uid: int
    """As of `DescribeContainer`."""
    description: Description


@dataclass(frozen=True, slots=True)
class UserNamed(Event):
    """The answer to `NameUser`; `name` is `None` when the system knows none."""

    uid: int
    name: str | None


@dataclass(frozen=True, slots=True)
class ProbesProven(Event):
    """A round of the self-test ended; a probe that is off, or that answers when it is asked, is in none of these."""

    proven: tuple[str, ...]
    """Probes whose records arrived."""
    blind: tuple[str, ...]
    """Probes whose facts were made, twice, and not reported."""
    untried: tuple[tuple[str, str], ...]
    """(probe, why nothing can be said about it)."""


@dataclass(frozen=True, slots=True)
class Remembered(Event):
    """What an earlier run of the daemon had seen: the documents of its state, at the start."""

    models: tuple[tuple[str, dict[str, object]], ...]
    """(`device:inode`, document)."""
    workloads: tuple[dict[str, object], ...]
    alerts: tuple[dict[str, object], ...]
