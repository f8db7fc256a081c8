"""The folder that a file lies in, read without the daemon's opener: what that costs is none of a format's time."""

from pathlib import Path

NAMES_MAX = 4096


class DiskFolder:
    """A `Folder` (identify/reading/folder.py) of the benchmark's own files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str, limit: int = 1 << 20) -> bytes | None:
        """A file's content, `None` when there is none or too much."""
        try:
            data = (self._path / name).read_bytes()
        except (OSError, ValueError):
            return None
        return data if len(data) <= limit else None

    def names(self, name: str = "") -> tuple[str, ...]:
        """What is in it."""
        try:
            return tuple(sorted(one.name for one in (self._path / name).iterdir()))[:NAMES_MAX]
        except (OSError, ValueError):
            return ()

    def target(self, name: str) -> str | None:
        """Where a link points to."""
        try:
            return str((self._path / name).readlink())
        except (OSError, ValueError):
            return None
