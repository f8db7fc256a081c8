"""The table of processes."""

import pytest
from tests.kit import MOUNT_NS, NOW, PID, SECOND, START, UID, executed, exited, forked, process_found

from modelwarden.daemon.model.processes import (
    LINEAGE_MAX,
    RETENTION_NS,
    Processes,
    marked_path,
    process_key,
    user_id,
)
from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.sampled.procfs import NOBODY


def known(*pids: int, limit: int = 100) -> Processes:
    """A table with these processes."""
    processes = Processes(limit)
    for pid in pids:
        processes.executed(executed(pid))
    processes.strangers.clear()
    return processes


def test_key_has_the_grain_of_procfs() -> None:
    """Two starts within a clock tick are one, two in different ticks are not."""
    assert process_key(1, START) == process_key(1, START + TICK_NS - 1)
    assert process_key(1, START) != process_key(1, START + TICK_NS)
    assert process_key(1, START) != process_key(2, START)


def test_child_is_a_copy_of_its_parent() -> None:
    """Program and arguments are the parent's until it executes another."""
    processes = known(PID)
    child = processes.forked(forked(PID, 200, child_start=START + SECOND))
    parent = processes.get(PID, START)
    assert parent is not None
    assert (child.path, child.arguments, child.parent) == (parent.path, parent.arguments, parent.key)
    assert processes.get(200, START + SECOND) is child
    processes.executed(executed(200, "/bin/sh", ("sh", "-c", "x"), start_ns=START + SECOND, parent_pid=PID))
    assert (child.path, child.arguments, child.parent) == ("/bin/sh", ("sh", "-c", "x"), parent.key)


def test_events_keep_the_user_up_to_date() -> None:
    """A program that gives up its rights, or enters a container, is known as what it is now."""
    processes = known(PID)
    acted = processes.actor(exited(uid=0, login_uid=7, mount_ns=1))
    assert (acted.uid, acted.login_uid, acted.mount_ns) == (0, 7, 1)


def test_stranger_becomes_known_and_is_asked_about_once() -> None:
    """A process without a beginning is listed once."""
    processes = Processes()
    first = processes.actor(exited())
    assert (first.path, first.parent, first.uid, first.mount_ns) == (None, None, UID, MOUNT_NS)
    assert processes.actor(exited()) is first
    assert processes.strangers == [PID]


def test_end_is_told_once() -> None:
    """A second end of the same process is none."""
    processes = known(PID)
    process = processes.get(PID, START)
    assert process is not None
    assert processes.end(process, NOW)
    assert not processes.end(process, NOW + 1)
    assert process.ended_at == NOW


def test_ended_processes_stay_for_a_while() -> None:
    """Answers about their files may still be under way."""
    processes = known(PID, PID + 1)
    process = processes.get(PID, START)
    assert process is not None
    processes.end(process, NOW)
    processes.expire(NOW + RETENTION_NS - 1)
    assert processes.get(PID, START) is process
    processes.expire(NOW + RETENTION_NS)
    assert processes.get(PID, START) is None
    assert processes.by_pid(PID) is None
    assert processes.get(PID + 1, START) is not None


def test_number_leads_to_the_latest_process() -> None:
    """Given a number that was given away again, then the end of the first does not hide the second."""
    processes = known(PID)
    first = processes.get(PID, START)
    assert first is not None
    processes.end(first, NOW)
    processes.executed(executed(PID, start_ns=START + SECOND))
    processes.expire(NOW + RETENTION_NS)
    assert processes.by_pid(PID) == process_key(PID, START + SECOND)


def test_ended_processes_leave_a_full_table_first() -> None:
    """The one that ended longest ago leaves, then the oldest; each is counted."""
    processes = known(1, 2, 3, limit=3)
    second = processes.get(2, START)
    assert second is not None
    processes.end(second, NOW)
    processes.executed(executed(4))
    assert (processes.get(2, START), processes.evicted, len(processes)) == (None, 1, 3)
    processes.executed(executed(5))
    assert (processes.get(1, START), processes.evicted, len(processes)) == (None, 2, 3)
    processes.expire(NOW + 2 * RETENTION_NS)
    assert len(processes) == 3


def test_lineage_is_nearest_first_and_bounded() -> None:
    """A chain of forks is walked so far and no further."""
    processes = known(1)
    for pid in range(1, 40):
        processes.forked(forked(pid, pid + 1))
    youngest = processes.get(40, START)
    assert youngest is not None
    assert [one.pid for one in processes.lineage(youngest)] == list(range(39, 39 - LINEAGE_MAX, -1))


@pytest.mark.parametrize("other", [PID, PID + 1], ids=["itself", "a circle"])
def test_lineage_ends_in_a_circle(other: int) -> None:
    """Numbers that were given away again can make a circle: the walk ends all the same."""
    processes = known(PID, PID + 1)
    processes.executed(executed(PID, parent_pid=other))
    processes.executed(executed(PID + 1, parent_pid=PID))
    process = processes.get(PID, START)
    assert process is not None
    assert len(list(processes.lineage(process))) <= LINEAGE_MAX


def test_missing_are_those_that_a_look_should_have_shown() -> None:
    """What began after the look, or was shown by it, or ended before, is not missing."""
    processes = known(1, 2, 3)
    processes.found(process_found(2, at=NOW), None)
    third = processes.get(3, START)
    assert third is not None
    processes.end(third, NOW - 1)
    processes.executed(executed(4, start_ns=NOW))
    assert [one.pid for one in processes.missing(NOW)] == [1]


def test_found_fills_in_what_is_not_known() -> None:
    """A stranger gets its program and its parent, a known process keeps both."""
    processes = known(1)
    stranger = processes.actor(exited(2))
    processes.found(process_found(2, "/bin/x", ("x",)), processes.by_pid(1))
    assert (stranger.path, stranger.arguments, stranger.parent) == ("/bin/x", ("x",), process_key(1, START))
    processes.found(process_found(2, "/bin/y", ("y",)), None)
    assert (stranger.path, stranger.parent, stranger.found_at) == ("/bin/x", process_key(1, START), NOW)


def test_small_facts() -> None:
    """A cut path is marked, and nobody is no user."""
    assert (marked_path("/b/c", 1), marked_path("/b/c", 0)) == ("…/b/c", "/b/c")
    assert (user_id(NOBODY), user_id(0)) == (None, 0)
