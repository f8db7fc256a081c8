"""A folder of links, as users see a model in a store: what it links to is read, below the store only."""

from modelwarden.daemon.identify.origins.reading.paths import followed
from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT, Folder


class LinkedFolder:
    """A `Folder` below a store's whose names are links to blobs, one step each."""

    __slots__ = ("_path", "_store")

    def __init__(self, store: Folder, path: str) -> None:
        self._store = store
        self._path = path

    def read(self, name: str, limit: int = DOCUMENT_LIMIT) -> bytes | None:
        """The content of the file, or of what the link leads to."""
        place = self._below(name)
        target = self._store.target(place)
        if target is None:
            return self._store.read(place, limit)
        blob = followed(place, target)
        return self._store.read(blob, limit) if blob else None

    def names(self, name: str = "") -> tuple[str, ...]:
        """What is there."""
        return self._store.names(self._below(name))

    def target(self, name: str) -> str | None:
        """Where a link points to."""
        return self._store.target(self._below(name))

    def _below(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path
