"""Finds, locks and opens the database file of the state."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from modelwarden.daemon.state_schema import StateError, check_schema, migrate, schema_of

DATABASE = "state.db"
BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for another one: the daemon and `alerts ack` write for milliseconds."""

WAL_LIMIT_BYTES = 16 << 20
"""The write-ahead log is cut back to this size after a checkpoint."""

_PARTS = ("", "-wal", "-shm")
"""A database in WAL mode is three files."""


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection that writes; each statement commits by itself outside of a transaction. Raises `sqlite3.Error`."""
    database = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
    except BaseException:
        database.close()
        raise
    return database


def create_file(path: Path) -> None:
    """Make the file as its owner's alone, before sqlite would make it as the umask says."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise StateError(f"{path} cannot be opened ({error.strerror}): run as root, or free some disk space") from None


def is_sound(database: sqlite3.Connection) -> bool:
    """Whether sqlite finds no damage; reads all pages (50 ms for 20 MB)."""
    try:
        return bool(database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is at fault, not the disk, the rights or another process."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def move_aside(path: Path) -> Path:
    """Rename the damaged database with the date, so that nothing is lost, and return its new name."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for part in _PARTS:
        with suppress(FileNotFoundError):
            Path(f"{path}{part}").rename(f"{target}{part}")
    return target


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, and takes no lock that a writer waits for. Raises `sqlite3.Error`.

    In WAL mode even a reader wants the `-shm` file. Where it is missing and cannot be made (a
    read-only mount, a backup), nobody writes either, so a private copy is as good.
    """
    database = _connect(f"{path.absolute().as_uri()}?mode=ro")
    try:
        schema_of(database)
    except sqlite3.OperationalError as error:
        database.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY} or not os.access(
            path, os.R_OK, effective_ids=True
        ):
            raise
        return _open_copy(path)
    except BaseException:
        database.close()
        raise
    return database


def _open_copy(path: Path) -> sqlite3.Connection:
    with tempfile.TemporaryDirectory(prefix="modelwarden-") as name:
        copy = Path(name) / path.name
        shutil.copyfile(path, copy)
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        source = _connect(copy.as_uri())
        memory = _connect(":memory:")
        try:
            source.backup(memory)
        except BaseException:
            memory.close()
            raise
        finally:
            source.close()
        return memory


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def open_daemons(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """The migrated database, made when there is none, with the new name of a damaged one. Raises `StateError`."""
    try:
        database = _open_sound(path)
        if database is not None:
            return database, None
        aside = move_aside(path)
        database = _open_sound(path)
    except sqlite3.Error as error:
        raise StateError(f"{path} cannot be opened ({error}): check the disk's room and the file's rights") from None
    if database is None:
        raise StateError(f"{path} is damaged as soon as it is made: check the disk")
    return database, aside


def _open_sound(path: Path) -> sqlite3.Connection | None:
    """The migrated database; `None` when its content is damaged. Raises `sqlite3.Error`, `StateError`."""
    create_file(path)
    try:
        database = open_writer(path)
        try:
            if is_sound(database):
                migrate(path, database)
                return database
        except BaseException:
            database.close()
            raise
        database.close()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    return None


def open_existing(path: Path, way: Literal["read", "edit"]) -> sqlite3.Connection:
    """The database as the daemon made it, for a command. Raises `StateError` with the next step."""
    try:
        exists = path.stat().st_size > 0
    except PermissionError:
        exists = True
    except OSError:
        exists = False
    if not exists:
        raise StateError(
            f"no state at {path}: has the daemon run? start it (systemctl start modelwarden), or name its "
            "directory with --state-dir"
        )
    if not os.access(path, os.R_OK | (os.W_OK if way == "edit" else 0), effective_ids=True):
        verb = "read" if way == "read" else "changed"
        raise StateError(f"{path} may not be {verb} by this user: run the command as root (sudo)")
    try:
        database = open_reader(path) if way == "read" else open_writer(path)
        try:
            check_schema(path, schema_of(database), exact=True)
        except BaseException:
            database.close()
            raise
    except sqlite3.Error as error:
        raise read_error(path, error) from None
    return database


def read_error(path: Path, error: sqlite3.Error) -> StateError:
    """What sqlite says about a read, with the next step."""
    if is_damage(error):
        return StateError(f"{path} is damaged: restart the daemon, which moves it aside and starts afresh")
    return StateError(f"{path} cannot be read ({error}): run the command as root, or try again")
