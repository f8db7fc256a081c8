"""The probe fork: new processes, not threads, with the mark of their parent."""

import os
import threading

import pytest
from tests.kernel.watch import Watch

from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.kernel.fork import ProcessForked
from modelwarden.probes.sampled.procfs import start_of

pytestmark = pytest.mark.bpf


def forked(watch: Watch) -> list[ProcessForked]:
    """The reported children of this process."""
    return [event for event in watch.of(ProcessForked) if event.pid == os.getpid()]


def test_each_child_is_reported(watch: Watch) -> None:
    """113 forks are 113 events with 113 children."""
    children = []
    for _ in range(113):
        child = os.fork()
        if child == 0:
            os._exit(0)
        children.append(child)
        os.waitpid(child, 0)

    assert [event.child_pid for event in forked(watch)] == children
    assert watch.lost() == 0


def test_the_identity_of_the_child_is_that_of_proc(watch: Watch) -> None:
    """The child's start is what /proc shows, so both sides know the same process."""
    go, wait = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(go, 1)
        os._exit(0)
    start_ns = start_of(child)
    os.write(wait, b"x")
    os.waitpid(child, 0)
    os.close(go)
    os.close(wait)

    [event] = forked(watch)
    assert event.child_start_ns // TICK_NS == start_ns // TICK_NS


def test_threads_are_no_children(watch: Watch) -> None:
    """Seven threads are no event."""
    threads = [threading.Thread(target=int) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert forked(watch) == []
