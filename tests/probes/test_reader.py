"""From bytes and counters to events: decoding, proofs kept apart, every kind of loss told once."""

from typing import Any, cast

import pytest

from modelwarden.probes import registry
from modelwarden.probes.event import EventsLost
from modelwarden.probes.kernel.exit import ProcessExited
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.reader import Reader
from modelwarden.probes.tables import Loss, Refusal
from modelwarden.probes.wire import SELF_TEST

KINDS_END = max(registry.PROBE_OF_KIND) + 1
EXITED = next(item for item in registry.LAYOUTS if item.event is ProcessExited)


class Counters:
    """As `PerCpuCounters`."""

    def __init__(self, entries: int) -> None:
        self.values = [0] * entries

    def read(self) -> list[int]:
        """As `PerCpuCounters`."""
        return list(self.values)


class FakeKernel:
    """What a `Reader` asks the kernel side."""

    def __init__(self) -> None:
        self.lost = Counters(KINDS_END * len(Loss))
        self.refusals = Counters(len(Refusal))
        self.missed: dict[str, int] = {}

    def misses(self) -> dict[str, int]:
        """As `Kernel`."""
        return self.missed


@pytest.fixture
def kernel() -> FakeKernel:
    """A kernel side that has lost nothing."""
    return FakeKernel()


@pytest.fixture
def reader(kernel: FakeKernel) -> Reader:
    """The reader of it."""
    return Reader(cast("Kernel", cast("Any", kernel)))


def record(flags: int = 0) -> bytes:
    """An end of process 7."""
    raw = bytearray(EXITED.fixed.size)
    raw[0:2], raw[2:4], raw[4:8] = (
        EXITED.kind.to_bytes(2, "little"),
        flags.to_bytes(2, "little"),
        len(raw).to_bytes(4, "little"),
    )
    raw[16:20] = (7).to_bytes(4, "little")
    return bytes(raw)


def test_decodes_in_order(reader: Reader) -> None:
    """Given records, then their events; nothing is proven by them."""
    events = reader.decode([record(), record()])
    assert [type(event) for event in events] == [ProcessExited, ProcessExited]
    assert reader.proofs == set()


def test_proofs_are_kept_apart(reader: Reader) -> None:
    """Given a record of the self-test, then no event, and a proof."""
    assert reader.decode([record(SELF_TEST)]) == []
    assert reader.proofs == {ProcessExited}


@pytest.mark.parametrize("raw", [b"", b"\xff" * 8, record()[:-1], (999).to_bytes(2, "little") + record()[2:]])
def test_what_is_no_record_is_counted(reader: Reader, raw: bytes) -> None:
    """Given bytes that are no record, then they are lost by decoding, once."""
    assert reader.decode([raw]) == []
    assert reader.losses(5) == [EventsLost(5, "decode", "unknown", 1)]
    assert reader.losses(6) == []


@pytest.mark.parametrize(("reason", "place"), [(Loss.RING, "ring"), (Loss.SHARE, "share")])
def test_each_loss_is_told_once(reader: Reader, kernel: FakeKernel, reason: Loss, place: str) -> None:
    """Given counters that rise, then the difference, by place and probe."""
    kernel.lost.values[reason * KINDS_END + EXITED.kind] = 3
    assert reader.losses(5) == [EventsLost(5, place, "exit", 3)]
    kernel.lost.values[reason * KINDS_END + EXITED.kind] = 10
    assert reader.losses(6) == [EventsLost(6, place, "exit", 7)]
    assert reader.losses(7) == []


def test_refused_rows_and_skipped_runs_are_losses(reader: Reader, kernel: FakeKernel) -> None:
    """Given a full table and a program that was entered twice, then both are told."""
    kernel.refusals.values[Refusal.MARKS] = 2
    kernel.missed = {"file_open": 4, "exec": 0}
    assert reader.losses(5) == [EventsLost(5, "table", "marks", 2), EventsLost(5, "recursion", "file_open", 4)]
    assert reader.losses(6) == []
