"""The store of Ollama: manifests by the names that users know, layers by their digests.

Source: ollama's `manifest/paths.go`, `manifest/manifest.go`, `types/model/{name,config}.go`, `server/images.go`. The
kernel reports an open of `blobs/sha256-<hex>`; which models it belongs to is told by the manifests that have it as a
layer. Where several do (`ollama cp`, two tags of one content), the first in the alphabet is told.
"""

import re
from collections.abc import Iterator, Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import json_object, sha256, string
from modelwarden.daemon.identify.origins.reading.manifests import digest, heading, kind, layers
from modelwarden.daemon.identify.origins.reading.paths import location, parts_of
from modelwarden.daemon.identify.reading.folder import Folder

MANIFESTS_LIMIT = 1000
PREFIX = "application/vnd.ollama.image."
ROLES = {"model": "model", "tensor": "model", "adapter": "adapter", "projector": "projector", "draft": "draft"}
_BLOB = re.compile(r"sha256[:-][0-9a-fA-F]{64}", re.ASCII)


class Ollama:
    """The store has the same shape wherever `OLLAMA_MODELS` moved it."""

    name = "ollama"
    variables: tuple[str, ...] = ()

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:  # noqa: ARG002 - the shape is enough
        """Whole blobs: what is still being downloaded has a longer name."""
        parts = parts_of(path)
        is_blob = parts[-2:-1] == ["blobs"] and _BLOB.fullmatch(parts[-1])
        return location(parts, len(parts) - 2) if is_blob else None

    def trace(self, location: Location, store: Folder) -> Source | None:
        """The model's name with its tag, what the blob is in it, the first line of its licence."""
        wanted = sha256(location.inside.rpartition("/")[2])
        hosts = store.names("manifests")
        if not hosts:
            return None  # others name blobs alike
        for place in _manifests(store, hosts):
            manifest = json_object(store, "/".join(("manifests", *place)))
            for layer in layers(manifest):
                if digest(layer) == wanted:
                    return _source(store, place, manifest, layer)
        return Source(self.name, digest=wanted)


def _manifests(store: Folder, hosts: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    """Host, namespace, model and tag of each manifest, in the order of the alphabet."""
    left = MANIFESTS_LIMIT
    for host in hosts:
        for namespace in store.names(f"manifests/{host}"):
            for model in store.names(f"manifests/{host}/{namespace}"):
                for tag in store.names(f"manifests/{host}/{namespace}/{model}"):
                    if left == 0:
                        return
                    left -= 1
                    yield host, namespace, model, tag


def _source(
    store: Folder,
    place: tuple[str, str, str, str],
    manifest: Mapping[str, object],
    layer: Mapping[str, object],
) -> Source:
    host, namespace, model, tag = place
    # As `ollama list` shortens it (Name.DisplayShortest).
    short = (model,) if (host, namespace) == ("registry.ollama.ai", "library") else (namespace, model)
    name = "/".join(short if host == "registry.ollama.ai" else (host, *short))
    config = digest(manifest.get("config"))
    settings = json_object(store, f"blobs/sha256-{config}") if config else {}
    return Source(
        Ollama.name,
        repository=f"{host}/{namespace}/{model}",
        revision=tag,
        name=f"{name}:{tag}",
        role=ROLES.get(kind(layer, PREFIX)),
        license=_license(store, manifest),
        digest=digest(layer),
        remote_host=string(settings, "remote_host"),
    )


def _license(store: Folder, manifest: Mapping[str, object]) -> str | None:
    text = next((digest(layer) for layer in layers(manifest) if kind(layer, PREFIX) == "license"), None)
    return heading(store, f"blobs/sha256-{text}") if text else None


ORIGIN: Origin = Ollama()
