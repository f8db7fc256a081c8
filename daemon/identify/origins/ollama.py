"""The store of Ollama: manifests by the names that users know, layers by their digests.

Source: ollama's `manifest/paths.go`, `manifest/manifest.go`, `types/model/{name,config}.go`, `server/images.go`. The
kernel reports an open of `blobs/sha256-<hex>`; which models it belongs to is told by the manifests that have it as a
layer. Where several do (`ollama cp`, two tags of one content), the first in the alphabet is told.
"""

import re
from collections.abc import Iterator, Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import json_object, sha256, string
from modelwarden.daemon.identify.origins.reading.paths import location, parts_of
from modelwarden.daemon.identify.reading.folder import Folder

MANIFESTS_LIMIT = 1000
LAYERS_LIMIT = 100_000
"""A model of safetensors has a layer for each tensor."""
LICENSE_LIMIT = 1 << 17
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
        digest = sha256(location.inside.rpartition("/")[2])
        hosts = store.names("manifests")
        if not hosts:
            return None  # others name blobs alike
        for place in _manifests(store, hosts):
            manifest = json_object(store, "/".join(("manifests", *place)))
            for layer in _layers(manifest):
                if sha256(layer.get("digest")) == digest:
                    return _source(store, place, manifest, layer, digest)
        return Source(self.name, digest=digest)


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


def _layers(manifest: Mapping[str, object]) -> list[dict[str, object]]:
    layers = manifest.get("layers")
    return [layer for layer in layers[:LAYERS_LIMIT] if isinstance(layer, dict)] if isinstance(layers, list) else []


def _source(
    store: Folder,
    place: tuple[str, str, str, str],
    manifest: Mapping[str, object],
    layer: Mapping[str, object],
    digest: str | None,
) -> Source:
    host, namespace, model, tag = place
    # As `ollama list` shortens it (Name.DisplayShortest).
    short = (model,) if (host, namespace) == ("registry.ollama.ai", "library") else (namespace, model)
    name = "/".join(short if host == "registry.ollama.ai" else (host, *short))
    config = _blob(manifest.get("config"))
    settings = json_object(store, config) if config else {}
    return Source(
        Ollama.name,
        repository=f"{host}/{namespace}/{model}",
        revision=tag,
        name=f"{name}:{tag}",
        role=ROLES.get(_kind(layer)),
        license=_license(store, manifest),
        digest=digest,
        remote_host=string(settings, "remote_host"),
    )


def _kind(layer: Mapping[str, object]) -> str:
    """From `application/vnd.ollama.image.<kind>`."""
    return (string(layer, "mediaType") or "").partition(";")[0].rpartition("image.")[2]


def _blob(layer: object) -> str | None:
    digest = sha256(layer.get("digest")) if isinstance(layer, dict) else None
    return f"blobs/sha256-{digest}" if digest else None


def _license(store: Folder, manifest: Mapping[str, object]) -> str | None:
    blob = next((_blob(layer) for layer in _layers(manifest) if _kind(layer) == "license"), None)
    text = store.read(blob, LICENSE_LIMIT) if blob else None
    lines = (text or b"")[:4096].decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in lines if line.strip()), None)


ORIGIN: Origin = Ollama()
