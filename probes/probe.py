"""The contract of a kernel probe: which records it sends, where it can hook, which kernel fields it reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path

from modelwarden.probes.event import Event

Reads = Mapping[str, tuple[str, ...]]
"""Kernel struct → fields. A field is `name`, or `name = path | path …` with dotted paths of which the first that the
running kernel knows is taken; a trailing `?` makes it optional: `HAS_<struct>_<name>` says whether it is there. A
struct whose name ends in `?` may be missing altogether."""


class HookKind(StrEnum):
    """How a program meets the kernel; the names are what `doctor` and the metrics show."""

    FENTRY = "fentry"
    """A kernel function's entry, through a trampoline: costs that function only."""
    TRACEPOINT = "tracepoint"
    """Needs tracefs and perf events; costs what it traces, and 40 ns on every system call when it is one of theirs."""
    RAW_TRACEPOINT = "raw_tracepoint"
    """Needs nothing; on `sys_enter` and `sys_exit` it costs every system call of the machine."""
    ITERATOR = "iterator"
    """Runs over what exists, when it is read."""
    PROCFS = "procfs"
    """No program: the files of /proc tell it, slower."""


@dataclass(frozen=True, slots=True)
class Program:
    """One function of the C side, and what it is attached to; the same one may serve two probes."""

    kind: HookKind
    function: str
    """Its name in C; for fentry the kernel function, for an iterator what it runs over (`task`).

    bcc puts a prefix before these two (`KFUNC_PROBE`, `BPF_ITER`), another one in each of its versions."""
    targets: tuple[str, ...] = ()
    """`category:event` of tracepoints (those the kernel lacks are left out), the name of a raw tracepoint."""
    needs: tuple[str, str] | None = None
    """(struct, field) that the running kernel must have for it."""
    lacking: str | None = None
    """What is not seen when it is refused, of a hook that is of use without it; `None` when the hook is not.

    Where the kernel lacks what it is for, nothing is lacking.
    """


@dataclass(frozen=True, slots=True)
class Hook:
    """One way to learn a fact: one program, or several that make it complete."""

    kind: HookKind
    programs: tuple[Program, ...]
    blind: tuple[str, str] | None = None
    """(kernel function, what passes this hook unseen on a kernel that has it): there, every other hook is better."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One kernel fact; its module ends in `PROBE: Probe = Probe(…)` and its C file has the same stem."""

    name: str
    records: tuple[type[Event], ...]
    hooks: tuple[Hook, ...]
    """Cheapest first; the loader takes the first that the kernel takes and that is not blind there."""
    reads: Reads = field(default_factory=dict)
    values: tuple[type[IntEnum], ...] = ()
    """Enumerations of its records, which the C file has as constants: `CHANGE_RENAME` for `Change.RENAME`."""
    prove: Callable[[Path], None] | None = None
    """Makes the fact happen, in a process and a folder made for it: the self-test expects each of the records. `None`
    for what is asked and answers at once."""

    def key(self, hook: Hook) -> str:
        """How the loader, the C file (`HOOK_…`) and `without` call one hook of this probe."""
        return f"{self.name}_{hook.kind.value}"
