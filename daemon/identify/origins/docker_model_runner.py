"""The store of Docker Model Runner: blobs, manifests, an index of tags, and models laid out from them.

Source: docker/model-runner, `pkg/distribution/internal/store/{store,index,manifests}.go` and `bundle/unpack.go`:
`models.json`, `blobs/sha256/<hex>`, `manifests/sha256/<hex>`, `bundles/sha256/<manifest hex>/model/<file>`; there
files are hard links to blobs, so that the kernel reports whichever name was opened.
"""

import re
from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import json_object, sha256
from modelwarden.daemon.identify.origins.reading.manifests import digest, heading, kind, layers
from modelwarden.daemon.identify.origins.reading.paths import location, parts_of
from modelwarden.daemon.identify.reading.folder import Folder

PREFIX = "application/vnd.docker.ai."
ROLES = {
    "gguf.v3": "model",
    "safetensors": "model",
    "dduf": "model",
    "gguf.v3.lora": "adapter",
    "gguf.v3.mmproj": "projector",
    "mmproj": "projector",
}
MODELS_LIMIT = 1000
FILES_LIMIT = 10_000
_SHARD = re.compile(r"model-(\d{5})-of-\d{5}\.\w+", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DEFAULT_HOST = re.compile(r"^(?:index\.|registry-1\.)?docker\.io/")


class DockerModelRunner:
    """The index beside the blobs tells the store wherever `MODELS_PATH` put it."""

    name = "docker_model_runner"
    variables: tuple[str, ...] = ()

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:  # noqa: ARG002 - the shape is enough
        """Whole blobs, and the files of models that were laid out."""
        parts = parts_of(path)
        for first in range(len(parts) - 3, -1, -1):
            kind_, algorithm, name, *rest = parts[first:]
            is_file = (kind_ == "blobs" and not rest) or (
                kind_ == "bundles" and rest[:1] == ["model"] and len(rest) > 1
            )
            if is_file and algorithm == "sha256" and _HEX.fullmatch(name):
                return location(parts, first)
        return None

    def trace(self, location: Location, store: Folder) -> Source | None:
        """The first tag of the first model that has the file, what it is in the model, the licence's title."""
        models = json_object(store, "models.json").get("models")
        if not isinstance(models, list):
            return None
        top, _, name, *rest = location.inside.split("/")
        for model in models[:MODELS_LIMIT]:
            if not isinstance(model, dict):
                continue
            files = model.get("files")
            has_blob = isinstance(files, list) and name in map(sha256, files[:FILES_LIMIT])
            if has_blob if top == "blobs" else sha256(model.get("id")) == name:
                return _source(store, model, name if top == "blobs" else None, "/".join(rest[1:]) or None)
        return Source(self.name, digest=name if top == "blobs" else None)


def _source(store: Folder, model: Mapping[str, object], blob: str | None, file: str | None) -> Source:
    manifest = json_object(store, f"manifests/sha256/{sha256(model.get('id'))}")
    layer = _layer(manifest, blob, file)
    reference = _tag(model)
    # A colon in front of the last slash belongs to a port.
    repository, colon, tag = (reference or "").rpartition(":")
    has_tag = bool(colon) and "/" not in tag
    text = next((digest(one) for one in layers(manifest) if kind(one, PREFIX) == "license"), None)
    return Source(
        DockerModelRunner.name,
        repository=repository if has_tag else reference,
        revision=tag if has_tag else None,
        file=file,
        name=reference,
        role=ROLES.get(kind(layer, PREFIX)),
        license=heading(store, f"blobs/sha256/{text}") if text else None,
        digest=blob or digest(layer),
    )


def _layer(manifest: Mapping[str, object], blob: str | None, file: str | None) -> Mapping[str, object]:
    """The layer of a blob; of a file that was laid out, the one that it can only be."""
    if blob is not None:
        return next((layer for layer in layers(manifest) if digest(layer) == blob), {})
    role = "projector" if (file or "").endswith(".mmproj") else "model"
    alike = [layer for layer in layers(manifest) if ROLES.get(kind(layer, PREFIX)) == role]
    shard = _SHARD.fullmatch(file or "")
    index = int(shard[1]) - 1 if shard else 0
    return alike[index] if 0 <= index < len(alike) and (shard or len(alike) == 1) else {}


def _tag(model: Mapping[str, object]) -> str | None:
    tags = model.get("tags")
    names = sorted(tag for tag in tags[:MODELS_LIMIT] if isinstance(tag, str)) if isinstance(tags, list) else []
    return _DEFAULT_HOST.sub("", names[0]) if names else None


ORIGIN: Origin = DockerModelRunner()
