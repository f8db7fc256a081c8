"""Who is asked: the iterators where the kernel side has them, /proc where it has none or one of them fails."""

import os
from collections.abc import Iterator
from random import Random
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.probes.event import Event
from modelwarden.probes.kernel.running import ProcessRunning
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.sampled.procfs import Procfs, Resynced
from modelwarden.probes.sampled.running import HELD_BACK_MAX, Running, parents_first

AT = 7


class FakeKernel:
    """A kernel side that has loaded some programs."""

    def __init__(self, *functions: str) -> None:
        self.programs = [("running", function, -1) for function in functions]


class FakeProcfs:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def sample(self, at: int) -> Iterator[Event]:
        """As `Procfs`."""
        self.asked.append((at,))
        yield Resynced(at, 3)

    def one(self, at: int, pid: int) -> list[Event]:
        """As `Procfs`."""
        self.asked.append((at, pid))
        return [Event(at)]


def running(*functions: str) -> tuple[Running, FakeProcfs]:
    """With the /proc that it falls back to."""
    procfs = FakeProcfs()
    return Running(cast("Kernel", FakeKernel(*functions)), cast("Procfs", procfs)), procfs


def test_without_iterators_proc_is_asked() -> None:
    """A kernel without iterators is no problem: `doctor` has said so."""
    source, procfs = running("exec_raw_tracepoint", "task_vma")

    assert list(source.sample(AT)) == [Resynced(AT, 3)]
    assert (procfs.asked, source.problem) == ([(AT,)], None)


def test_an_iterator_that_fails_is_named() -> None:
    """Given an iterator that cannot be run, then /proc answers, and somebody can say why."""
    source, procfs = running("task", "task_file", "task_vma")

    assert list(source.sample(AT)) == [Resynced(AT, 3)]
    assert procfs.asked == [(AT,)]
    assert source.problem is not None
    assert source.problem.endswith(os.strerror(9))


@pytest.mark.parametrize("functions", [(), ("task", "task_file")])
def test_one_process_is_asked_of_proc(functions: tuple[str, ...]) -> None:
    """An iterator would look at all of them."""
    source, procfs = running(*functions)

    assert source.one(AT, 12) == [Event(AT)]
    assert procfs.asked == [(AT, 12)]


def process(pid: int, parent: int) -> ProcessRunning:
    """As the iterator tells of it."""
    return ProcessRunning(
        at=AT, pid=pid, tid=pid, start_ns=0, cgroup=1, uid=0, login_uid=0, mount_ns=1, pid_ns=1,
        parent_start_ns=0, parent_pid=parent, reserved=0, path_cut=0, path="/bin/x",
    )  # fmt: skip


@given(st.permutations(range(1, 30)), st.randoms(use_true_random=False))
def test_parents_come_first(numbers: list[int], chance: Random) -> None:
    """Whatever numbers a tree of processes has, none comes before its parent, and each comes once."""
    parents = {number: chance.choice([0, *numbers[:place]]) for place, number in enumerate(numbers)}

    order = [one.pid for one in parents_first(process(pid, parents[pid]) for pid in sorted(numbers))]

    assert sorted(order) == sorted(numbers)
    assert all(order.index(parent) < order.index(pid) for pid, parent in parents.items() if parent)


def test_orphans_are_not_lost() -> None:
    """Given a parent that ended while we looked, then its child is told all the same."""
    assert [one.pid for one in parents_first([process(3, 0), process(5, 9)])] == [3, 5]


def test_room_to_wait_is_bounded() -> None:
    """Beyond it the order is that of the numbers, and nobody is missing."""
    count = HELD_BACK_MAX + 2
    parent = process(count + 1, 0)
    order = [one.pid for one in parents_first([*(process(pid, count + 1) for pid in range(1, count + 1)), parent])]

    assert order[:3] == [HELD_BACK_MAX + 1, HELD_BACK_MAX + 2, count + 1]
    assert sorted(order) == list(range(1, count + 2))
