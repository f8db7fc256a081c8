"""The immutable picture of the core that exporters, the census and the state read."""

from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
"""One object of the JSON contract (docs/contract.md): plain values only, times as RFC 3339 UTC strings."""


@dataclass(frozen=True, slots=True)
class ProbeStatus:
    """One probe: the hook that is in use, or why there is none and what to do."""

    name: str
    hook: str | None
    """`fentry`, `tracepoint`, `raw_tracepoint`; `None` when the probe is off."""
    reason: str | None
    next_step: str | None
    proven: bool | None = None
    """Whether it saw what was made for it the last time; `None` before that, and where there is nothing to try."""
    proven_at: float | None = None
    """When it last did, seconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters are totals since the daemon started, keyed by closed sets of labels."""

    generated_at: str
    host_id: str
    workloads: tuple[Document, ...] = ()
    models: tuple[Document, ...] = ()
    alerts: tuple[tuple[str, str, int], ...] = ()
    """(rule, severity, raised since the start)."""
    probes: tuple[ProbeStatus, ...] = ()
    events: dict[str, int] = field(default_factory=dict)
    """Events handled, by event name (snake case)."""
    lost: dict[tuple[str, str], int] = field(default_factory=dict)
    """Events lost, by (place, probe)."""
    opens: dict[str, int] = field(default_factory=dict)
    """Opens of model files by format (`unknown` when it could not be read)."""
    evicted: dict[str, int] = field(default_factory=dict)
    """Rows that left a full table, by table."""
    inspections: dict[str, int] = field(default_factory=dict)
    """Finished inspections by outcome, `dropped` for those the inspector had no room for."""
    rule_errors: dict[str, int] = field(default_factory=dict)
    inbox_depth: int = 0
    inbox_capacity: int = 0
    handled_seconds: float = 0.0
    """Seconds that the core has spent in `step`."""
    policy_digest: str = "none"
    ready: bool = False
    """Probes attached and none found blind, first scan done, inbox draining."""
