"""The table of workloads."""

from typing import Any

import pytest
from tests.kit import NOW, NOW_WALL, PID, SECOND, UID
from tests.rows import process, workload

from modelwarden.daemon.model.families import Families
from modelwarden.daemon.model.groups import Groups
from modelwarden.daemon.model.memory import Memory
from modelwarden.daemon.model.processes import Process, Processes
from modelwarden.daemon.model.workloads import ENDED_MAX, WHY_MAX, Workload, Workloads


class Table:
    """Workloads with a table of processes that is empty."""

    def __init__(self, limit: int = 100) -> None:
        self.processes = Processes()
        groups = Groups()
        self.workloads = Workloads(Memory(), Families((), self.processes, groups), groups, limit)
        self.workloads.host_id = "host"

    def of(self, one: Process, wall_ns: int = NOW_WALL) -> Workload:
        """The workload of a process."""
        found = self.workloads.of(one, self.processes, wall_ns)
        found.last_seen_ns = wall_ns
        return found


def interpreted(*arguments: str, path: str = "/usr/bin/python3.11", **more: Any) -> Process:
    """A process of an interpreter."""
    return process(path=path, arguments=("python3", *arguments), **more)


def test_same_program_is_one_workload() -> None:
    """Given a program that runs again and again, then it is one line of the census."""
    table = Table()
    first = table.of(process(1))
    second = table.of(process(2))
    assert first is second
    assert len(first.living) == 2


@pytest.mark.parametrize("other", [{"uid": UID + 1}, {"path": "/usr/bin/other"}], ids=["user", "program"])
def test_other_user_or_program_is_another_workload(other: dict[str, Any]) -> None:
    """Who runs it and what runs make the difference."""
    table = Table()
    assert table.of(process(1)) is not table.of(process(2, **other))


def test_scripts_of_one_interpreter_are_different_workloads() -> None:
    """Two scripts of one user are two workloads, whatever their other arguments."""
    table = Table()
    ids = {table.of(interpreted("-u", script, "--x", str(pid), pid=pid)).id for pid, script in enumerate("aabb")}
    assert len(ids) == 2


def test_identifier_is_stable() -> None:
    """Given the same host, user and program, then a restart of the daemon finds the same identifier."""
    assert Table().of(process(1)).id == Table().of(process(2, start_ns=7)).id
    elsewhere = Table()
    elsewhere.workloads.host_id = "another host"
    assert elsewhere.of(process(1)).id != Table().of(process(1)).id


def test_hostile_name_has_an_identifier() -> None:
    """A path that is no UTF-8 is no error."""
    assert Table().of(process(path="/usr/bin/\udcff")).id.startswith("w-")


def test_end_of_the_last_process_ends_the_workload() -> None:
    """It stays known, with those that ended last."""
    table, pids = Table(), range(ENDED_MAX + 3)
    processes = [process(pid) for pid in pids]
    for one in processes:
        found = table.of(one)
    for one in processes:
        assert found.running
        one.ended_at = NOW
        assert table.workloads.leave(one) is found
    assert not found.running
    assert [one.pid for one in found.ended.values()] == list(pids)[-ENDED_MAX:]


def test_stranger_leaves_no_workload() -> None:
    """The end of a process without a workload is nothing to us."""
    assert Table().workloads.leave(process()) is None


def test_reasons_are_said_once_and_bounded() -> None:
    """A reason stands once; beyond the limit the first ones stay."""
    one = workload()
    for number in [*range(WHY_MAX + 5), 0]:
        one.explain(f"reason {number}")
    assert one.why == [f"reason {number}" for number in range(WHY_MAX)]


def test_workload_seen_longest_ago_leaves() -> None:
    """A full table lets go of what does not run first, then of what was seen longest ago; each is counted."""
    table = Table(limit=2)
    ended, runs = process(1, path="/bin/1"), process(2, path="/bin/2")
    table.of(runs, NOW_WALL)
    gone = table.of(ended, NOW_WALL + SECOND)
    ended.ended_at = NOW
    table.workloads.leave(ended)
    new = table.of(process(3, path="/bin/3"), NOW_WALL + 2 * SECOND)
    assert table.workloads.get(gone.id) is None
    assert (runs.workload in {one.id for one in table.workloads.all()}, table.workloads.evicted) == (True, 1)
    assert table.workloads.get(new.id) is new


def test_new_workload_finds_room_when_all_others_run() -> None:
    """Given a table full of workloads that run, then the oldest leaves for the new one, and its process is free."""
    table = Table(limit=2)
    processes = [process(pid, path=f"/bin/{pid}") for pid in range(3)]
    for second, one in enumerate(processes):
        latest = table.of(one, NOW_WALL + second * SECOND)
    assert table.workloads.get(latest.id) is latest
    assert processes[0].workload is None
    assert table.of(processes[0], NOW_WALL + 9 * SECOND).running


def test_evicted_workload_comes_back_with_its_late_process() -> None:
    """Given an answer for a process that ended and whose workload left, then the workload shows that process."""
    table = Table(limit=1)
    late = process(PID, path="/bin/late", ended_at=NOW)
    table.of(late)
    table.of(process(2, path="/bin/other"), NOW_WALL + SECOND)
    assert list(table.of(late, NOW_WALL + 2 * SECOND).ended.values()) == [late]
