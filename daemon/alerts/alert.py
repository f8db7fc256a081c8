"""What an alert is: one finding about one subject of one workload, with its evidence, that grows."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much it matters, least first."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Status(StrEnum):
    """What people have done about it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observed fact, with its wall-clock time (nanoseconds since 1970 UTC)."""

    at_ns: int
    what: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as the SOC gets it; `id` stays the same while it grows."""

    id: str
    rule: str
    severity: Severity
    title: str
    tier: str | None
    host_id: str
    workload: str
    subject: str
    model: dict[str, object] | None
    """The contract's MODEL document."""
    process: dict[str, object]
    """`pid exe cmdline user login_user lineage`."""
    techniques: tuple[str, ...]
    """MITRE ATLAS and ATT&CK identifiers."""
    evidence: tuple[Evidence, ...]
    """Oldest first, bounded: the first ones and the latest are kept."""
    count: int
    first_seen_ns: int
    last_seen_ns: int
    what_to_do: str
