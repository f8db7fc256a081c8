"""What the daemon must not forget: census, alerts and what people did about them, in sqlite.

Three ways in: the daemon opens (one at a time), commands read, `alerts ack` edits. Readers take no
lock that the daemon waits for.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from modelwarden.daemon.alerts.alert import Severity, Status
from modelwarden.daemon.printable import json_text, printable, well_formed
from modelwarden.daemon.snapshot import Document
from modelwarden.daemon.state_connection import Connection, StateWriteError
from modelwarden.daemon.state_file import DATABASE, open_daemons, open_existing
from modelwarden.daemon.state_hashes import StoredHashes
from modelwarden.daemon.state_lock import lock, prepare_directory
from modelwarden.daemon.state_schema import StateError

__all__ = ["Limits", "Mark", "State", "StateError", "StateWriteError", "UnknownAlertError"]


class UnknownAlertError(StateError):
    """The identifier, or its start, names no alert or more than one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rows each table keeps; the oldest leave first, of the alerts those that are closed."""

    models: int = 10_000
    workloads: int = 5_000
    alerts: int = 20_000
    hashes: int = 20_000


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person did about an alert."""

    status: Status
    reason: str | None
    at: str | None
    """When, RFC 3339 UTC; `None` while nobody did anything."""


class State:
    """One connection to the state; any thread may call, one call runs at a time."""

    def __init__(self, connection: Connection, limits: Limits | None = None) -> None:
        self._connection = connection
        self._database = connection.database
        self._limits = limits or Limits()
        self.hashes = StoredHashes(connection, self._limits.hashes)
        self.moved_aside: Path | None = None
        """Where the database that was found damaged went, to be reported by whoever opened."""

    @classmethod
    def open(cls, directory: Path, *, limits: Limits | None = None) -> Self:
        """For the daemon: makes, locks, checks and migrates; a damaged database is moved aside.

        Raises `StateError`: another daemon, a newer schema, no rights, no room.
        """
        prepare_directory(directory)
        descriptor = lock(directory)
        try:
            database, moved_aside = open_daemons(directory / DATABASE)
        except BaseException:
            os.close(descriptor)
            raise
        state = cls(Connection(directory / DATABASE, database, descriptor), limits)
        state.moved_aside = moved_aside
        return state

    @classmethod
    def read(cls, directory: Path) -> Self:
        """For commands: reads only, while the daemon runs and when it is down. Raises `StateError`."""
        return cls(Connection(directory / DATABASE, open_existing(directory / DATABASE, "read")))

    @classmethod
    def edit(cls, directory: Path) -> Self:
        """For commands that change an alert's status beside the daemon. Raises `StateError`."""
        return cls(Connection(directory / DATABASE, open_existing(directory / DATABASE, "edit")))

    def save_census(self, models: Iterable[tuple[str, Document]], workloads: Iterable[Document]) -> int:
        """Store models by their key (`device:inode`) and workloads by `id`, all or none.

        Returns how many old rows left for them. Not synced at once: a power cut may take the last
        seconds. Raises `StateWriteError`.
        """
        upsert = (
            "INSERT INTO {} VALUES (?, ?, ?, ?) ON CONFLICT ({}) DO UPDATE SET first_seen = excluded.first_seen,"
            " last_seen = excluded.last_seen, document = excluded.document"
        )
        with self._connection.transaction("NORMAL"):
            self._database.executemany(upsert.format("models", "key"), (_row(key, model) for key, model in models))
            self._database.executemany(upsert.format("workloads", "id"), (_row(item["id"], item) for item in workloads))
            return self._trim("models", self._limits.models) + self._trim("workloads", self._limits.workloads)

    def save_alerts(self, alerts: Iterable[Document]) -> int:
        """Store alerts, new or grown, all or none and on the disk when this returns.

        The status that a stored alert has stays. Each gets the next sequence number. Returns how
        many old alerts left for them. Raises `StateWriteError`.
        """
        with self._connection.transaction("FULL"):
            for alert in alerts:
                self._database.execute(
                    "INSERT INTO alerts (id, rule, severity, status, first_seen, last_seen, document, sequence)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET rule = excluded.rule,"
                    " severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,"
                    " document = excluded.document, sequence = excluded.sequence",
                    (
                        _text(alert["id"]),
                        _text(alert["rule"]),
                        _text(alert["severity"]),
                        str(alert.get("status") or Status.OPEN),
                        alert.get("first_seen"),
                        alert.get("last_seen"),
                        json_text(alert),
                        self._next_sequence(),
                    ),
                )
            return self._trim("alerts", self._limits.alerts)

    def census(self, since: str | None = None) -> tuple[list[Document], list[Document]]:
        """(workloads, models) last seen at or after `since` (RFC 3339 UTC), latest first. Raises `StateError`."""
        return self._documents("workloads", since), self._documents("models", since)

    def keyed_models(self) -> list[tuple[str, Document]]:
        """Every model with the key it was saved by: what the daemon remembers at its start."""
        with self._connection.reading():
            rows = self._database.execute("SELECT key, document FROM models ORDER BY last_seen, key").fetchall()
            return [(key, json.loads(text)) for key, text in rows]

    def alerts(self, since: str | None = None, severity: str | None = None) -> list[Document]:
        """Alerts last seen at or after `since`, of this severity or worse, latest first. Raises `StateError`."""
        worse = list(Severity)[list(Severity).index(Severity(severity)) if severity else 0 :]
        with self._connection.reading():
            rows = self._database.execute(
                "SELECT document, status, severity FROM alerts WHERE coalesce(last_seen, '') >= ?"
                " ORDER BY last_seen DESC, id",
                (_from(since),),
            ).fetchall()
            return [json.loads(text) | {"status": status} for text, status, level in rows if level in worse]

    def alert(self, id_prefix: str) -> Document:
        """The alert whose identifier starts so. Raises `UnknownAlertError`."""
        document, mark = self._find(id_prefix)
        return document | {"status": str(mark.status)}

    def mark(self, id_prefix: str) -> Mark:
        """What a person did about the alert. Raises `UnknownAlertError`."""
        return self._find(id_prefix)[1]

    def set_status(self, id_prefix: str, status: Status, reason: str) -> Document:
        """Note what a person did about an alert and return it. Raises `UnknownAlertError`, `StateWriteError`."""
        document, _ = self._find(id_prefix)
        with self._connection.transaction("FULL"):
            self._database.execute(
                "UPDATE alerts SET status = ?, status_reason = ?, status_at = ?, sequence = ? WHERE id = ?",
                (str(status), well_formed(reason), _now(), self._next_sequence(), document["id"]),
            )
        return document | {"status": str(status)}

    def remember_meta(self, key: str, value: str) -> None:
        """Store one fact about the daemon itself, such as `host_id`. Raises `StateWriteError`."""
        with self._connection.transaction("NORMAL"):
            self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_text(key), well_formed(value)))

    def meta(self, key: str) -> str | None:
        """The fact that was stored by that key, `None` when there is none."""
        with self._connection.reading():
            row = self._database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        """Close the database and let the next daemon in; twice is once."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _documents(self, table: Literal["models", "workloads"], since: str | None) -> list[Document]:
        key = "key" if table == "models" else "id"
        with self._connection.reading():
            rows = self._database.execute(
                f"SELECT document FROM {table} WHERE coalesce(last_seen, '') >= ? ORDER BY last_seen DESC, {key}",  # noqa: S608
                (_from(since),),
            ).fetchall()
            return [json.loads(text) for (text,) in rows]

    def _find(self, id_prefix: str) -> tuple[Document, Mark]:
        shown = printable(id_prefix[:80])
        with self._connection.reading():
            rows = self._database.execute(
                "SELECT id, document, status, status_reason, status_at FROM alerts"
                " WHERE substr(id, 1, length(?1)) = ?1 AND ?1 <> '' ORDER BY id <> ?1, id LIMIT 4",
                (well_formed(id_prefix),),
            ).fetchall()
        if not rows:
            raise UnknownAlertError(f"no alert starts with {shown!r}: `modelwarden alerts` lists them")
        if len(rows) > 1 and rows[0][0] != id_prefix:
            some = ", ".join(printable(row[0]) for row in rows[:3])
            raise UnknownAlertError(
                f"several alerts start with {shown!r} ({some}{', …' * (len(rows) > 3)}): type more of it"
            )
        _, text, status, reason, at = rows[0]
        return json.loads(text), Mark(Status(status), reason, at)

    def _next_sequence(self) -> int:
        self._database.execute("UPDATE counter SET last_sequence = last_sequence + 1")
        return int(self._database.execute("SELECT last_sequence FROM counter").fetchone()[0])

    def _trim(self, table: Literal["models", "workloads", "alerts"], limit: int) -> int:
        surplus = int(self._database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) - limit  # noqa: S608
        if surplus <= 0:
            return 0
        order = "status <> 'closed', last_seen" if table == "alerts" else "last_seen"
        self._database.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} ORDER BY {order} LIMIT ?)",  # noqa: S608
            (surplus,),
        )
        return surplus


def _row(key: str, document: Document) -> tuple[str, str | None, str | None, str]:
    return _text(key), document.get("first_seen"), document.get("last_seen"), json_text(document)


def _text(value: object) -> str:
    return well_formed(str(value))


def _from(since: str | None) -> str:
    # Without its Z a time sorts before itself, with a fraction or without.
    return (since or "").removesuffix("Z")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
