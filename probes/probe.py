"""The contract of a kernel probe: which records it sends, where it can hook, which kernel fields it reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from modelwarden.probes.event import Event

Reads = Mapping[str, tuple[str, ...]]
"""Kernel struct → fields. A field is `name`, or `name = path | path …` with dotted paths of which the first that the
running kernel knows is taken; a trailing `?` makes it optional: `HAS_<struct>_<name>` says whether it is there."""


class HookKind(StrEnum):
    """How a program meets the kernel; the names are what `doctor` and the metrics show."""

    TRACEPOINT = "tracepoint"
    """Needs tracefs and perf events; costs what it traces, and 40 ns on every system call when it is one of theirs."""
    RAW_TRACEPOINT = "raw_tracepoint"
    """Needs nothing; on `sys_enter` and `sys_exit` it costs every system call of the machine."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One way to learn a fact."""

    kind: HookKind
    program: str
    """The C function."""
    targets: tuple[str, ...]
    """`category:event` of tracepoints (those the kernel lacks are left out), the name of a raw tracepoint."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One kernel fact; its module ends in `PROBE: Probe = Probe(…)` and its C file has the same stem."""

    name: str
    records: tuple[type[Event], ...]
    hooks: tuple[Hook, ...]
    """Cheapest first; the loader takes the first that the kernel takes."""
    reads: Reads = field(default_factory=dict)
