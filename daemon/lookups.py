"""A worker for questions to the system that may hang: a bounded queue and one thread that nobody waits for."""

import queue
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

QUEUE_LIMIT = 4_096


class Lookups:
    """Runs what it is given, in order. Its thread does not keep the process alive: NFS or LDAP may hold it for ever."""

    def __init__(self, name: str, limit: int = QUEUE_LIMIT) -> None:
        self._name = name
        self._limit = limit
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.dropped = 0
        """Questions that a full queue refused."""

    def submit(self, look: Callable[[], None]) -> None:
        """Queues a question; `look` hands its own answer over."""
        if self._queue.qsize() >= self._limit:
            self.dropped += 1
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._queue.put(look)

    def close(self) -> None:
        """Lets the thread end behind what it is at."""
        while not self._queue.empty():
            self._queue.get()
        self._queue.put(None)

    def _run(self) -> None:
        while (look := self._queue.get()) is not None:
            try:
                look()
            except Exception:  # the one guard of this thread: a question that fails must not be the last
                log.exception("lookup_failed", worker=self._name)
