"""The kernel side while it runs: the ring, the tables, the programs, and what became of each probe."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from modelwarden.probes.candidate import library_head
from modelwarden.probes.libbpf import program_info
from modelwarden.probes.maps import BpfMap, PerCpuCounters
from modelwarden.probes.probe import HookKind
from modelwarden.probes.ring import Ring
from modelwarden.probes.tables import (
    FILE_KEY,
    MARK,
    SETTINGS,
    SIZES,
    Known,
    Loss,
    Mark,
    Refusal,
    Suffix,
    Table,
    name_key,
)

PROVISIONAL_NS = 10 * 1_000_000_000
"""An inspection answers within two seconds; a mark that nobody confirmed by then was for nothing."""


@dataclass(frozen=True, slots=True)
class ProbeState:
    """What became of one probe."""

    name: str
    hook: HookKind | None
    reason: str | None = None
    """Why a better hook, or every hook, was refused, and what the one in use does not see."""
    next_step: str | None = None


@dataclass(slots=True)
class Kernel:
    """What runs in the kernel for us. Closing it detaches everything."""

    ring: Ring
    maps: dict[Table, BpfMap]
    lost: PerCpuCounters
    """By reason (`Loss`) and kind."""
    refusals: PerCpuCounters
    seen_counters: PerCpuCounters
    states: tuple[ProbeState, ...]
    descriptors: list[int]
    """Of the maps."""
    programs: list[tuple[str, str, int]] = field(default_factory=list)
    """(probe, function, descriptor) of what is loaded."""
    attachments: list[int] = field(default_factory=list)
    """What holds programs to their hooks."""
    generation: int = 0
    large_bytes: int = 0
    drains: int = 0

    @classmethod
    def over(cls, found: dict[str, int], kinds_end: int, large_bytes: int) -> "Kernel":
        """Takes over the descriptors of the maps by name; they are filled, nothing is attached yet."""
        made = cls(
            ring=Ring(found["ring"]),
            maps={table: BpfMap(table.value, found[table.value], *SIZES[table]) for table in Table},
            lost=PerCpuCounters("lost", found["lost"], kinds_end * len(Loss)),
            refusals=PerCpuCounters("refusals", found["refusals"], len(Refusal)),
            seen_counters=PerCpuCounters("seen_counters", found["seen_counters"], 2),
            states=(),
            descriptors=list(found.values()),
            large_bytes=large_bytes,
        )
        made.set_generation(0)
        return made

    # ---- what user space tells the programs --------------------------------------------------------

    def watch(self, pid: int, start_ns: int, *, watched: bool) -> None:
        """Confirms or clears the mark of a process; `OSError` when the table is full."""
        if watched:
            self._mark(pid, start_ns, Mark.CONFIRMED)
        else:
            self.maps[Table.MARKS].delete(pid.to_bytes(4, "little"))

    def ignore(self, pid: int, start_ns: int) -> None:
        """Makes a process of ours, and every child of it, invisible to all probes."""
        self._mark(pid, start_ns, Mark.OURS)

    def expose(self, pid: int, start_ns: int) -> None:
        """Makes a process of ours visible again, as one that proves the probes."""
        self._mark(pid, start_ns, Mark.SELF_TEST)

    def remember(self, device: int, inode: int, size: int, ctime_ns: int, *, is_model: bool) -> None:
        """What the inspector found in a file: a model marks who opens it, all others fall silent."""
        verdict = Known.MODEL if is_model else Known.NO_MODEL
        self.maps[Table.KNOWN].update(
            FILE_KEY.layout.pack(device, inode, size, ctime_ns), verdict.to_bytes(4, "little")
        )

    def name_suffixes(self, suffixes: Iterable[str], strength: Suffix) -> None:
        """Suffixes (lower case, without the dot) by which a file is a candidate."""
        for suffix in suffixes:
            self.maps[Table.SUFFIXES].update(suffix.encode().ljust(16, b"\0"), strength.to_bytes(4, "little"))

    def name_files(self, names: Iterable[str]) -> None:
        """Names (without folders) of files that a policy names: their opens and changes are always told."""
        for name in names:
            self.maps[Table.NAMES].update(name_key(os.fsencode(name)), (1).to_bytes(4, "little"))

    def name_libraries(self, names: Iterable[str]) -> None:
        """How the names of the libraries begin that do machine learning: whoever opens one is told."""
        for name in names:
            self.maps[Table.LIBRARIES].update(library_head(name), (1).to_bytes(4, "little"))

    def set_generation(self, generation: int) -> None:
        """Which of the two tables of seen opens the programs use."""
        self.generation = generation
        row = SETTINGS.layout.pack(self.large_bytes, PROVISIONAL_NS, generation)
        self.maps[Table.SETTINGS].update(bytes(4), row)

    def _mark(self, pid: int, start_ns: int, mark: Mark) -> None:
        self.maps[Table.MARKS].update(pid.to_bytes(4, "little"), MARK.layout.pack(start_ns, 0, mark))

    # ---- what the programs tell ---------------------------------------------------------------------

    def drain(self, limit: int, handle: Callable[[list[bytes]], None]) -> bool:
        """Hands over up to `limit` records; says whether there may be more.

        When the ring is empty, every process gets its share of it anew.
        """
        more, taken = self.ring.drain(limit, handle)
        if taken and not more:
            self.drains += 1
            self.maps[Table.DRAINS].update(bytes(4), self.drains.to_bytes(8, "little"))
        return more

    def misses(self) -> dict[str, int]:
        """Runs that the kernel skipped because the program was at work on that processor already, by probe."""
        found: dict[str, int] = {}
        for probe, _, descriptor in self.programs:
            found[probe] = found.get(probe, 0) + program_info(descriptor).recursion_misses
        return found

    # ---- the end -----------------------------------------------------------------------------------

    def detach(self) -> None:
        """Ends all programs; what the ring and the maps hold can still be read."""
        while self.attachments:
            os.close(self.attachments.pop())
        while self.programs:
            os.close(self.programs.pop()[2])

    def close(self) -> None:
        """Detaches, then frees."""
        self.detach()
        self.ring.close()
        while self.descriptors:
            os.close(self.descriptors.pop())
