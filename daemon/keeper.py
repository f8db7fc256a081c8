"""Writes to the state from a thread of its own, so that a slow or full disk never holds the core up."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from modelwarden.daemon.snapshot import Document
from modelwarden.daemon.state import State
from modelwarden.daemon.state_connection import StateWriteError
from modelwarden.daemon.times import to_rfc3339

log = structlog.get_logger(__name__)

HEARTBEAT_S = 60.0
"""How often the state says how fresh it is when nothing changes."""
PENDING_MAX = 50_000
"""Rows that wait while the disk refuses them; the oldest leave first, and are counted."""


class Keeper:
    """Owns the state after the start. What could not be written waits and is written with what comes next."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="state")
        self._running: Future[None] | None = None
        self._models: dict[str, Document] = {}
        self._workloads: dict[str, Document] = {}
        self._alerts: dict[str, Document] = {}
        self.refused: str | None = None
        """Why the last write failed, `None` when it did not."""
        self.evicted = 0
        self._written_at = 0.0
        self._as_of: str | None = None

    def add(self, models: list[tuple[str, Document]], workloads: list[Document], *, as_of: str | None = None) -> None:
        """Rows of the census to be written with the next `flush`; `as_of` is when all of it was so (RFC 3339)."""
        self._as_of = as_of or self._as_of
        self._models.update(models)
        self._workloads.update((document["id"], document) for document in workloads)
        self._bound()

    def add_alert(self, alert: Document) -> None:
        """An alert to be written with the next `flush`."""
        self._alerts[alert["id"]] = alert
        self._bound()

    def flush(self) -> None:
        """Begins to write what waits, unless a write is still under way or nothing waits."""
        if self._running is not None and not self._running.done():
            return
        self._note_end()
        idle = not (self._models or self._workloads or self._alerts)
        if idle and time.monotonic() - self._written_at < HEARTBEAT_S:
            return
        self._written_at = time.monotonic()
        models, workloads, alerts = self._models, self._workloads, self._alerts
        self._models, self._workloads, self._alerts = {}, {}, {}
        self._running = self._worker.submit(self._write, models, workloads, alerts, self._as_of)
        self._in_flight = (models, workloads, alerts)

    def close(self, deadline_s: float) -> None:
        """Writes what waits, within the deadline, then lets go of the state."""
        for _ in range(2):
            if self._running is not None:
                try:
                    self._running.result(deadline_s)
                except StateWriteError:
                    pass  # once more: `flush` takes the rows back
                except TimeoutError:
                    break
            self.flush()
        if self._as_of is not None:
            self._worker.submit(self._state.remember_meta, "generated_at", self._as_of)
        self._worker.submit(self._state.close)
        self._worker.shutdown(wait=False)

    def _bound(self) -> None:
        for table in (self._models, self._workloads, self._alerts):
            while len(table) > PENDING_MAX:
                del table[next(iter(table))]
                self.evicted += 1

    def _write(
        self,
        models: dict[str, Document],
        workloads: dict[str, Document],
        alerts: dict[str, Document],
        as_of: str | None,
    ) -> None:
        if alerts:
            self._state.save_alerts(alerts.values())
        if models or workloads:
            self._state.save_census(models.items(), workloads.values())
        self._state.remember_meta("generated_at", as_of or to_rfc3339(time.time_ns()))

    def _note_end(self) -> None:
        """Takes back what the last write could not store; newer rows of the same key win."""
        if self._running is None:
            return
        error, self._running = self._running.exception(), None
        if error is None:
            if self.refused is not None:
                log.info("state_written_again")
            self.refused = None
            return
        if not isinstance(error, StateWriteError):
            raise error
        if self.refused is None:
            log.error("state_not_written", reason=str(error), next_step="free space; nothing is lost while we run")
        self.refused = str(error)
        models, workloads, alerts = self._in_flight
        self._models = {**models, **self._models}
        self._workloads = {**workloads, **self._workloads}
        self._alerts = {**alerts, **self._alerts}
