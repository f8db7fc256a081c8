"""The cache that llama.cpp had before it wrote into the one of the Hugging Face hub.

Source: llama.cpp's `common/download.cpp` of 2025 (`get_manifest_path`): `<owner>_<repository>_<file>` with slashes
as underscores; beside it `manifest=<owner>=<repository>=<tag>.json`, and once `<file>.json` with the address. The name
alone is ambiguous.
"""

import re
from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import json_object, string
from modelwarden.daemon.identify.origins.reading.paths import after, below, variable
from modelwarden.daemon.identify.reading.folder import Folder

_ADDRESS = re.compile(r"https?://[^/]+/([^/]+/[^/]+)/resolve/([^/]+)/([^?]+)(?:\?.*)?")
_PARTIAL = (".downloadInProgress", ".tmp")


class LlamaCppCache:
    """What lies there came from the hub: its sources are of that kind."""

    name = "huggingface"
    variables: tuple[str, ...] = ("LLAMA_CACHE",)

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:
        """Files that lie directly in the folder, whole ones."""
        found = after(path, ".cache", "llama.cpp") or below(path, (variable(environment, "LLAMA_CACHE"),))
        return found if found is not None and not found.up and not path.endswith(_PARTIAL) else None

    def trace(self, location: Location, store: Folder) -> Source | None:
        """By the address that is noted beside the file, else by the repository whose manifest is there."""
        name = location.inside
        noted = _ADDRESS.fullmatch(string(json_object(store, f"{name}.json"), "url") or "")
        if noted:
            return Source(self.name, repository=noted[1], revision=noted[2], file=noted[3])
        for other in store.names():
            kind, *parts = other.split("=")
            if kind == "manifest" and len(parts) == 3 and name.startswith(f"{parts[0]}_{parts[1]}_"):
                return Source(
                    self.name, repository=f"{parts[0]}/{parts[1]}", file=name.removeprefix(f"{parts[0]}_{parts[1]}_")
                )
        return None


ORIGIN: Origin = LlamaCppCache()
