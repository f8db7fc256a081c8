"""One sqlite connection that threads take in turn, with sqlite's errors in words for a person."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from modelwarden.daemon.state_file import read_error
from modelwarden.daemon.state_schema import StateError


class StateWriteError(StateError):
    """Nothing of this save was stored (disk full, I/O error): save the same rows again later."""


class Connection:
    """The open database, with the daemon's lock when it is the daemon's."""

    def __init__(self, path: Path, database: sqlite3.Connection, lock: int | None = None) -> None:
        self.database = database
        self._path = path
        self._lock = lock
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One thread's turn to read. Raises `StateError`."""
        with self._turn:
            try:
                yield
            except sqlite3.Error as error:
                raise read_error(self._path, error) from None
            except ValueError as error:
                raise StateError(
                    f"{self._path} holds a document that is no JSON ({error}): move the file away"
                ) from None

    @contextmanager
    def transaction(self, synchronous: Literal["NORMAL", "FULL"]) -> Iterator[None]:
        """One thread's turn to write, all of it or nothing. Raises `StateWriteError`.

        `FULL` is on the disk when this returns; `NORMAL` survives a crash of the daemon, but the
        last seconds may be lost to a power cut.
        """
        with self._turn:
            try:
                self.database.execute(f"PRAGMA synchronous={synchronous}")
                self.database.execute("BEGIN IMMEDIATE")
                yield
                self.database.execute("COMMIT")
            except BaseException as error:
                # A full disk may have rolled back already.
                with suppress(sqlite3.Error):
                    if self.database.in_transaction:
                        self.database.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise StateWriteError(f"{self._path} could not be written ({error}): nothing was stored") from error
                raise

    def close(self) -> None:
        """Close the database, then let the next daemon in; twice is once."""
        with self._turn:
            self.database.close()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
