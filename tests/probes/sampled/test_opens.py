"""Opens that the kernel counted instead of sending."""

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.probes.sampled.opens import GENERATION_NS, ROWS_MAX, OpenCounts

KEY = struct.Struct("<IIQQQQQ")
SECOND = 1_000_000_000
NOW = 1000 * SECOND
TABLES = ("seen_even", "seen_odd")


class Table:
    """A kernel map that gives its rows in batches."""

    def __init__(self) -> None:
        self.counts: dict[bytes, int] = {}
        self.reads = 0

    def rows(self, *, delete: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """As `BpfMap`."""
        self.reads += 1
        found = list(self.counts.items())
        if delete:
            self.counts.clear()
        for first in range(0, len(found), 3):
            batch = found[first : first + 3]
            yield b"".join(key for key, _ in batch), b"".join(count.to_bytes(8, "little") for _, count in batch)


class Counters:
    """The two counters beside the tables."""

    def __init__(self) -> None:
        self.values = [0, 0]

    def read(self) -> list[int]:
        """As `PerCpuCounters`."""
        return list(self.values)


class FakeKernel:
    """Does with an open what `is_repeated` of file_open.bpf.c does."""

    def __init__(self) -> None:
        self.maps = {name: Table() for name in TABLES}
        self.seen_counters = Counters()
        self.generation = 0
        self.generations: list[int] = []

    def set_generation(self, generation: int) -> None:
        """As `Kernel`."""
        self.generation = generation
        self.generations.append(generation)

    def open(self, pid: int, inode: int = 7, access: int = 0, generation: int | None = None) -> bool:
        """Whether the open is reported; else it is counted, in the table of the generation the program had read."""
        used = self.generation if generation is None else generation
        table = self.maps[TABLES[used & 1]].counts
        key = KEY.pack(pid, access, 5 * SECOND, 0xFE01, inode, 4096, 3)
        self.seen_counters.values[0 if key in table else 1] += 1
        table[key] = table[key] + 1 if key in table else 0
        return table[key] == 0


@pytest.fixture
def kernel() -> FakeKernel:
    """A kernel that has seen nothing."""
    return FakeKernel()


def counts_of(kernel: FakeKernel) -> OpenCounts:
    """The source over a fake."""
    return OpenCounts(cast("Any", kernel))


def test_repetitions_are_told_once(kernel: FakeKernel) -> None:
    """Given an open and three repetitions, then three are told, and not again."""
    counts = counts_of(kernel)
    for _ in range(4):
        kernel.open(1, access=2)
    (told,) = counts.sample(NOW)
    assert (told.at, told.pid, told.start_ns, told.device, told.inode) == (NOW, 1, 5 * SECOND, 0xFE01, 7)
    assert (told.ctime_ns, told.access, told.count) == (3, 2, 3)
    assert counts.sample(NOW + SECOND) == []


def test_increments_are_told(kernel: FakeKernel) -> None:
    """What is told is what was added since it was last told, within a generation."""
    counts = counts_of(kernel)
    kernel.open(1)
    counts.sample(NOW)
    kernel.open(1)
    told = []
    for second in range(1, 4):
        kernel.open(1)
        kernel.open(1)
        told += [one.count for one in counts.sample(NOW + second * SECOND)]
    assert sum(told) == 6
    assert len(kernel.generations) == 1


def test_silence_costs_no_table(kernel: FakeKernel) -> None:
    """Given no repetitions, then a sample looks at the counters only."""
    counts = counts_of(kernel)
    kernel.open(1)
    counts.sample(NOW)
    counts.sample(NOW + SECOND)  # the table that was left is read a last time
    before = [table.reads for table in kernel.maps.values()]
    counts.sample(NOW + 2 * SECOND)
    assert [table.reads for table in kernel.maps.values()] == before


def test_generation_changes_with_time(kernel: FakeKernel) -> None:
    """Given rows, then they leave after the time of a generation; without rows nothing changes."""
    counts = counts_of(kernel)
    counts.sample(NOW)
    assert kernel.generations == []
    kernel.open(1)
    counts.sample(NOW)
    kernel.open(1)
    counts.sample(NOW + GENERATION_NS)
    assert kernel.generations == [1]
    counts.sample(NOW + GENERATION_NS + 1)
    assert kernel.generations == [1, 2]
    counts.sample(NOW + GENERATION_NS + 2)
    assert [len(table.counts) for table in kernel.maps.values()] == [0, 0]


def test_generation_changes_before_the_table_is_full(kernel: FakeKernel) -> None:
    """Given many rows, then a new generation begins at once."""
    counts = counts_of(kernel)
    kernel.open(0)
    counts.sample(NOW)
    for pid in range(ROWS_MAX + 1):
        kernel.open(pid)
    counts.sample(NOW + SECOND)
    assert kernel.generations == [1, 2]


STEP = st.tuples(
    st.just("open"), st.integers(1, 3), st.integers(1, 2), st.sampled_from([0, 2]), st.booleans()
) | st.tuples(st.just("sample"), st.sampled_from([1, SECOND, GENERATION_NS, 2 * GENERATION_NS]))


@given(st.lists(STEP, max_size=80))
def test_none_twice_none_lost(story: list[tuple[Any, ...]]) -> None:
    """Whatever opens and samples come in whatever order, reported and counted opens are together exactly all.

    A program that had read the number of the generation just before it changed still writes to the old table
    until the next sample: nothing that it counts is lost either.
    """
    kernel, at = FakeKernel(), NOW
    counts = counts_of(kernel)
    opens: Counter[tuple[int, int, int]] = Counter()
    seen: Counter[tuple[int, int, int]] = Counter()
    previous = 0
    for kind, *what in [*story, *[("sample", SECOND)] * 3]:
        if kind == "open":
            pid, inode, access, late = what
            opens[pid, inode, access] += 1
            seen[pid, inode, access] += kernel.open(pid, inode, access, previous if late else None)
        else:
            at += what[0]
            previous = kernel.generation
            for one in counts.sample(at):
                assert one.count > 0
                seen[one.pid, one.inode, one.access] += one.count
    assert seen == opens
