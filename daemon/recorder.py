"""Writes down what the core is told, from a thread of its own, so that a slow disk never holds the core up."""

import pwd
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import structlog

from modelwarden import __version__
from modelwarden.daemon.journal import Header, encode, encode_header
from modelwarden.daemon.journal_file import create
from modelwarden.daemon.redaction import Redactor
from modelwarden.probes.event import Event

log = structlog.get_logger(__name__)

PEOPLE_FROM_UID = 1000
"""What is below is given to programs: login.defs(5)."""
FLUSH_BYTES = 1 << 20
"""From this on it is not waited for the second to be over."""
WAITING_MAX = 64 << 20
"""Bytes that may wait for a write that is under way; with more the recording ends."""

Change = Callable[[Event], Event]
"""What is recorded instead of an event: the same without names."""


class Recorder:
    """One recording. When it cannot go on it says so once and counts what it leaves out; the daemon runs on."""

    def __init__(self, file: IO[bytes], change: Change | None = None, *, waiting_max: int = WAITING_MAX) -> None:
        self._file = file
        self._waiting_max = waiting_max
        self._change = change
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._writing: Future[None] | None = None
        self._waiting = bytearray(encode_header(Header(__version__, redacted=change is not None)))
        self.ended: str | None = None
        """Why nothing is recorded any more."""
        self.left_out = 0
        """Events since then."""

    @classmethod
    def open(cls, path: Path, change: Change | None = None) -> Self:
        """A recording into a new file. Raises `JournalError`."""
        return cls(create(path), change)

    def record(self, event: Event) -> None:
        """Adds an event. What it is like when the core hears it is recorded, so call it before."""
        if self.ended is not None:
            self.left_out += 1
            return
        try:
            line = encode(self._change(event) if self._change else event)
        except Exception as error:  # noqa: BLE001 - a mistake of ours in here must not cost the daemon an event
            self._end(f"{type(event).__name__} cannot be written: {error!r}")
            return
        self._waiting += line
        if len(self._waiting) > FLUSH_BYTES:
            self.flush()
        if len(self._waiting) > self._waiting_max:
            self._end("the disk does not keep up")

    def flush(self) -> None:
        """Begins to write what waits, unless a write is still under way."""
        if self._writing is not None:
            if not self._writing.done():
                return
            error, self._writing = self._writing.exception(), None
            if error is not None:
                self._end(str(error))
        if self._waiting and self.ended is None:
            data, self._waiting = self._waiting, bytearray()
            self._writing = self._worker.submit(self._write, data)

    def close(self, deadline_s: float) -> None:
        """Writes what waits, within the deadline, then lets go of the file."""
        for _ in range(2):
            self._settle(deadline_s)
            self.flush()
        self._writing = self._worker.submit(self._file.close)
        self._settle(deadline_s)
        self._worker.shutdown(wait=False)
        if self.left_out:
            log.warning("journal_incomplete", left_out=self.left_out, reason=self.ended)

    def _write(self, data: bytearray) -> None:
        self._file.write(data)
        self._file.flush()

    def _settle(self, deadline_s: float) -> None:
        """Waits for the write that is under way; how it ended is for `flush` to see."""
        if self._writing is not None:
            with suppress(OSError, TimeoutError):
                self._writing.result(deadline_s)

    def _end(self, reason: str) -> None:
        if self.ended is None:
            self.ended = reason
            self._waiting.clear()
            log.error("journal_ended", reason=reason, next_step="the daemon runs on; free space, and record anew")


def open_recorder(path: Path | None, *, redacted: bool) -> Recorder | None:
    """A recording into a new file, `None` where none is wanted; `redacted` leaves out the names of people and places.

    Raises `JournalError`.
    """
    if path is None:
        return None
    if not redacted:
        return Recorder.open(path)
    people = [one.pw_name for one in pwd.getpwall() if one.pw_uid >= PEOPLE_FROM_UID]
    return Recorder.open(path, Redactor(people=people).redact)
