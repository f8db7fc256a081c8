"""Reads the opens that the kernel counted instead of sending, exactly: none twice, none lost."""

import struct
from dataclasses import dataclass

from modelwarden.probes.event import Event
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.tables import COUNTED, ROWS_ADDED, SEEN_KEY, SEEN_MAX, Table

_KEY = SEEN_KEY.layout
_VALUE = struct.Struct("<Q")
GENERATION_NS = 60 * 1_000_000_000
"""How long a row suppresses repetitions, so that rows of processes that ended leave."""
ROWS_MAX = SEEN_MAX // 2
"""Half of a table: beyond it a new generation begins at once. A full table suppresses nothing and loses nothing."""


@dataclass(frozen=True, slots=True)
class OpensCounted(Event):
    """A process opened a file again, `count` times since it was last said."""

    pid: int
    start_ns: int
    device: int
    inode: int
    ctime_ns: int
    access: int
    """0 read, 1 write, 2 both: `O_ACCMODE` of open(2)."""
    count: int


class OpenCounts:
    """A `Source` over the two tables that the kernel fills in turn.

    The table in use is only read. After a change of generation no program writes to the old one any more once a
    sample has passed, so it is read a last time and emptied: nothing can be counted between the reading and the
    emptying.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._reported: dict[bytes, int] = {}
        self._retired: dict[bytes, int] | None = None
        self._counted = 0
        self._rows_before = 0
        self._changed_at = 0

    def sample(self, at: int) -> list[OpensCounted]:
        """The repetitions since the last sample; costs one look at two counters when there were none."""
        found: list[OpensCounted] = []
        if self._retired is not None:
            found += self._read(at, self._table(self._kernel.generation - 1), self._retired, delete=True)
            self._retired = None
        counters = self._kernel.seen_counters.read()
        counted, rows = counters[COUNTED], counters[ROWS_ADDED]
        if counted != self._counted:
            found += self._read(at, self._table(self._kernel.generation), self._reported, delete=False)
            self._counted = counted
        used = rows - self._rows_before
        if used and (at - self._changed_at > GENERATION_NS or used > ROWS_MAX):
            self._retired, self._reported = self._reported, {}
            self._kernel.set_generation(self._kernel.generation + 1)
            self._rows_before, self._changed_at = rows, at
        return found

    def _table(self, generation: int) -> Table:
        return Table.SEEN_ODD if generation & 1 else Table.SEEN_EVEN

    def _read(self, at: int, table: Table, reported: dict[bytes, int], *, delete: bool) -> list[OpensCounted]:
        found = []
        for keys, values in self._kernel.maps[table].rows(delete=delete):
            for index, (count,) in enumerate(_VALUE.iter_unpack(values)):
                if not count:
                    continue
                key = keys[index * _KEY.size : (index + 1) * _KEY.size]
                before = reported.get(key, 0)
                if count > before:
                    reported[key] = count
                    pid, access, start_ns, device, inode, _, ctime_ns = _KEY.unpack(key)
                    found.append(OpensCounted(at, pid, start_ns, device, inode, ctime_ns, access, count - before))
        return found
