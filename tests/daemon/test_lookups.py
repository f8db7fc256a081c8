"""The worker for questions that may hang."""

import subprocess
import sys
import threading

from structlog.testing import capture_logs

from modelwarden.daemon.lookups import Lookups

HANGS = """
import threading
from modelwarden.daemon.lookups import Lookups
Lookups("test").submit(threading.Event().wait)
"""


def test_answers_in_order() -> None:
    """What is asked first is answered first."""
    answers: list[int] = []
    done = threading.Event()
    lookups = Lookups("test")
    for number in range(5):
        lookups.submit(lambda number=number: answers.append(number))  # type: ignore[misc]
    lookups.submit(done.set)

    assert done.wait(10)
    assert answers == [0, 1, 2, 3, 4]
    lookups.close()


def test_one_that_fails_is_not_the_last() -> None:
    """A question that raises is logged, and the next is answered."""
    done = threading.Event()
    lookups = Lookups("test")
    with capture_logs() as logs:
        lookups.submit(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
        lookups.submit(done.set)
        assert done.wait(10)

    assert [entry["event"] for entry in logs] == ["lookup_failed"]
    lookups.close()


def test_a_full_queue_refuses_and_counts() -> None:
    """Behind a question that hangs only so many wait."""
    hang, hangs = threading.Event(), threading.Event()
    lookups = Lookups("test", limit=3)
    lookups.submit(lambda: (hangs.set(), hang.wait())[0])
    assert hangs.wait(10)
    for _ in range(5):
        lookups.submit(lambda: None)

    assert lookups.dropped == 2
    hang.set()
    lookups.close()


def test_one_that_hangs_keeps_nobody_alive() -> None:
    """The process ends while the question is still open."""
    assert subprocess.run([sys.executable, "-c", HANGS], check=False, timeout=20).returncode == 0
