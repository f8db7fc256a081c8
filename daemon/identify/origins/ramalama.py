"""The store of RamaLama: a folder for each model, with blobs, references by tag, and snapshots.

Source: `ramalama/model_store/{store,reffile}.py` of 0.25: `store/<type>/<organisation>/<name>/{blobs,refs,snapshots}`.
An organisation may have several parts. A reference, `refs/<tag>.json`, lists hash, name and type of the files.
"""

from collections.abc import Iterator, Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import json_object, sha256, string
from modelwarden.daemon.identify.origins.reading.paths import after
from modelwarden.daemon.identify.reading.folder import Folder

REFERENCES_LIMIT = 100
FILES_LIMIT = 10_000
ROLES = {"gguf": "model", "safetensor": "model", "mmproj": "projector"}


class RamaLama:
    """The store of a user, or the machine's below /var/lib; what a container sees of it has no such path."""

    name = "ramalama"
    variables: tuple[str, ...] = ()

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:  # noqa: ARG002 - the shape is enough
        """Blobs: the files of snapshots link to them."""
        found = after(path, "ramalama", "store")
        parts = found.inside.split("/") if found is not None else []
        return found if len(parts) >= 5 and parts[-2] == "blobs" and not parts[-1].endswith(".partial") else None

    def trace(self, location: Location, store: Folder) -> Source | None:
        """Where it was pulled from, the tag, what the file is in the model."""
        folder, _, blob = location.inside.rsplit("/", 2)
        transport, _, model = folder.partition("/")
        repository = f"{transport}://{model}"
        for tag, file in _files(store, f"{folder}/refs"):
            if (string(file, "hash") or "").replace(":", "-") == blob:
                return Source(
                    self.name,
                    repository=repository,
                    revision=tag,
                    file=string(file, "name"),
                    name=f"{repository}:{tag}",
                    role=ROLES.get(string(file, "type") or ""),
                    digest=sha256(blob),
                )
        return Source(self.name, repository=repository, digest=sha256(blob))


def _files(store: Folder, references: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The files of each reference, with its tag."""
    for name in store.names(references)[:REFERENCES_LIMIT]:
        tag, dot, _ = name.rpartition(".json")
        files = json_object(store, f"{references}/{name}").get("files") if dot else None
        for file in files[:FILES_LIMIT] if isinstance(files, list) else ():
            if isinstance(file, dict):
                yield tag, file


ORIGIN: Origin = RamaLama()
