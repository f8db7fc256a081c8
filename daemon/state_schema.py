"""The tables of the state, as the migrations that lead to them."""

import sqlite3
from collections.abc import Callable
from pathlib import Path


class StateError(RuntimeError):
    """The state cannot be used: the message is one line that says why and what to do."""


def _first_tables(database: sqlite3.Connection) -> None:
    """Schema 1: documents as JSON, beside them the columns that are asked for."""
    database.execute(
        "CREATE TABLE models (key TEXT PRIMARY KEY, first_seen TEXT, last_seen TEXT, document TEXT NOT NULL)"
    )
    database.execute(
        "CREATE TABLE workloads (id TEXT PRIMARY KEY, first_seen TEXT, last_seen TEXT, document TEXT NOT NULL)"
    )
    database.execute(
        "CREATE TABLE alerts (id TEXT PRIMARY KEY, rule TEXT, severity TEXT, status TEXT NOT NULL, status_reason TEXT,"
        " status_at TEXT, first_seen TEXT, last_seen TEXT, document TEXT NOT NULL, sequence INTEGER NOT NULL)"
    )
    database.execute("CREATE INDEX alerts_sequence ON alerts (sequence)")
    for table in ("models", "workloads", "alerts"):
        database.execute(f"CREATE INDEX {table}_last_seen ON {table} (last_seen)")
    database.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    # A counter of its own: max(sequence) would go back when the newest row leaves.
    database.execute("CREATE TABLE counter (last_sequence INTEGER NOT NULL)")
    database.execute("INSERT INTO counter VALUES (0)")


def _hashes(database: sqlite3.Connection) -> None:
    """Schema 2: what files hash to, or how far that has come; `key` is the identity, all five numbers of it."""
    database.execute(
        "CREATE TABLE hashes (key TEXT PRIMARY KEY, sha256 TEXT, read_bytes INTEGER NOT NULL, midstate BLOB,"
        " last_used INTEGER NOT NULL)"
    )
    database.execute("CREATE INDEX hashes_last_used ON hashes (last_used)")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first_tables, _hashes)
"""Migration n takes a database from schema n to n + 1; never edit one that was released, add one."""

SCHEMA = len(MIGRATIONS)


def schema_of(database: sqlite3.Connection) -> int:
    """The schema that the file was written with; 0 when it is new. Raises `sqlite3.Error`."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def check_schema(path: Path, schema: int, *, exact: bool = False) -> None:
    """Refuse a database that a newer version wrote; with `exact` an older one too, which only the daemon migrates."""
    if schema > SCHEMA:
        raise StateError(
            f"{path} was written by a newer modelwarden (schema {schema}, this one knows {SCHEMA}): "
            "install that version or move the file away"
        )
    if exact and schema < SCHEMA:
        raise StateError(f"{path} has the older schema {schema}, this version needs {SCHEMA}: restart the daemon")


def migrate(path: Path, database: sqlite3.Connection) -> None:
    """Bring the database to this version's schema, all of it or nothing. Raises `sqlite3.Error`."""
    schema = schema_of(database)
    check_schema(path, schema)
    if schema == SCHEMA:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[schema:]:
            step(database)
        database.execute(f"PRAGMA user_version={SCHEMA}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
