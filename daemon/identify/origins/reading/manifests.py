"""OCI manifests, in which registries of models list what a model is made of.

Source: opencontainers/image-spec, `manifest.md`.
"""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.reading.documents import sha256, string
from modelwarden.daemon.identify.reading.folder import Folder

LAYERS_LIMIT = 100_000
"""A model of safetensors can have a layer for each tensor."""
LICENSE_LIMIT = 1 << 17
HEADING_BYTES = 4096


def layers(manifest: Mapping[str, object]) -> list[dict[str, object]]:
    """The layers that are objects at all."""
    found = manifest.get("layers")
    return [layer for layer in found[:LAYERS_LIMIT] if isinstance(layer, dict)] if isinstance(found, list) else []


def digest(layer: object) -> str | None:
    """The SHA-256 of a layer's or configuration's content."""
    return sha256(layer.get("digest")) if isinstance(layer, dict) else None


def kind(layer: Mapping[str, object], prefix: str) -> str:
    """The media type after a registry's prefix, empty for other types."""
    media_type = (string(layer, "mediaType") or "").partition(";")[0]
    return media_type.removeprefix(prefix) if media_type.startswith(prefix) else ""


def heading(store: Folder, blob: str) -> str | None:
    """The first line of a text that says something: of a licence, its title."""
    lines = (store.read(blob, LICENSE_LIMIT) or b"")[:HEADING_BYTES].decode("utf-8", "replace").splitlines()
    return next((line.strip() for line in lines if line.strip()), None)
