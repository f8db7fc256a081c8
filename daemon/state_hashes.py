"""What files hash to, kept over restarts, by the identity of the file."""

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwarden.daemon.hashing.sha256 import BLOCK_BYTES
from modelwarden.daemon.state_connection import Connection

if TYPE_CHECKING:
    from modelwarden.daemon.event import FileIdentity  # commands that only read must not wait for it

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Sum:
    """The SHA-256 of a file, or how far it has come."""

    sha256: str | None = None
    read_bytes: int = 0
    midstate: bytes | None = None
    """The state of the sum behind `read_bytes`; `None` when nothing can be gone on from."""


class StoredHashes:
    """A table of the state; what was used longest ago leaves first. Any thread may call.

    The numbers of disks may be others after a boot: then the files are read once more. Times of change are the
    kernel's, so whoever writes to a file, and sets its other times back, makes another identity of it.
    """

    def __init__(self, connection: Connection, limit: int) -> None:
        self._connection = connection
        self._limit = limit

    def find(self, file: "FileIdentity") -> Sum:
        """What is known; an edited row is as good as none. Raises `StateError`."""
        with self._connection.reading():
            row = self._connection.database.execute(
                "SELECT sha256, read_bytes, midstate FROM hashes WHERE key = ?", (_key(file),)
            ).fetchone()
        if row is None:
            return Sum()
        sha256, read_bytes, midstate = row
        if isinstance(sha256, str) and _SHA256.fullmatch(sha256):
            return Sum(sha256)
        is_state = isinstance(midstate, bytes) and len(midstate) == 32 and isinstance(read_bytes, int)
        if is_state and 0 <= read_bytes <= file.size and read_bytes % BLOCK_BYTES == 0:
            return Sum(None, read_bytes, midstate)
        return Sum()

    def keep(self, file: "FileIdentity", found: Sum) -> int:
        """Stores a sum as the one used last. Returns how many old ones left for it. Raises `StateWriteError`.

        Not synced at once: a power cut may take the last seconds.
        """
        database = self._connection.database
        with self._connection.transaction("NORMAL"):
            database.execute(
                "INSERT OR REPLACE INTO hashes (key, sha256, read_bytes, midstate, last_used) VALUES (?, ?, ?, ?, ?)",
                (_key(file), found.sha256, found.read_bytes, found.midstate, time.time_ns()),
            )
            surplus = int(database.execute("SELECT count(*) FROM hashes").fetchone()[0]) - self._limit
            if surplus <= 0:
                return 0
            database.execute(
                "DELETE FROM hashes WHERE rowid IN (SELECT rowid FROM hashes ORDER BY last_used LIMIT ?)", (surplus,)
            )
            return surplus


def _key(file: "FileIdentity") -> str:
    """As text: an inode may have 64 bits, and a number of sqlite has 63."""
    return f"{file.device}:{file.inode}:{file.size}:{file.mtime_ns}:{file.ctime_ns}"
