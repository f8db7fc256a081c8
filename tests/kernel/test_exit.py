"""The probe exit: the end of a process, once, when its last thread is gone."""

import os
import subprocess
import sys

import pytest
from tests.kernel.watch import Watch

from modelwarden.probes.kernel.exit import ProcessExited

pytestmark = pytest.mark.bpf

THREADS = """
import threading, time
threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(7)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def ended(watch: Watch, pid: int) -> list[ProcessExited]:
    """The reported ends of a process."""
    return [event for event in watch.of(ProcessExited) if event.pid == pid]


def test_each_end_is_reported(watch: Watch) -> None:
    """107 ends are 107 events, each with its exit code."""
    children = {}
    for number in range(107):
        child = os.fork()
        if child == 0:
            os._exit(number % 100)
        os.waitpid(child, 0)
        children[child] = number % 100

    found = {event.pid: os.waitstatus_to_exitcode(event.exit_code) for event in watch.of(ProcessExited)}
    assert {pid: found.get(pid) for pid in children} == children
    assert watch.lost() == 0


def test_a_process_with_threads_ends_once(watch: Watch) -> None:
    """Threads that end are no end of the process."""
    child = subprocess.Popen([sys.executable, "-S", "-c", THREADS])
    child.wait()

    assert len(ended(watch, child.pid)) == 1


def test_a_killed_process_ends_by_its_signal(watch: Watch) -> None:
    """The signal stands in the exit code, as wait(2) has it."""
    child = subprocess.Popen(["/bin/sleep", "60"])
    child.kill()
    child.wait()

    [event] = ended(watch, child.pid)
    assert os.waitstatus_to_exitcode(event.exit_code) == -9
