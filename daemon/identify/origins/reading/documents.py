"""What small documents of a store say: JSON, and the head of a model card."""

import json
import re
from collections.abc import Mapping

from modelwarden.daemon.identify.reading.folder import Folder

JSON_LIMIT = 1 << 20
"""Bytes: manifests have some thousands. A list of empty lists takes thirty times as much memory."""
HEAD_LINES = 400
_SHA256 = re.compile(r"(?:sha256[:-])?([0-9a-f]{64})", re.ASCII)


def json_object(folder: Folder, name: str) -> Mapping[str, object]:
    """The members of a JSON object, none for what is no such document."""
    document = folder.read(name, JSON_LIMIT)
    try:
        found = json.loads(document or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def string(document: Mapping[str, object], name: str) -> str | None:
    """A member that is text, `None` for anything else."""
    value = document.get(name)
    return value if isinstance(value, str) else None


def sha256(claim: object) -> str | None:
    """The digest in `sha256:<hex>`, `sha256-<hex>` or `<hex>`, `None` when it is no such claim."""
    found = _SHA256.fullmatch(claim.lower()) if isinstance(claim, str) else None
    return found[1] if found else None


def scalar(document: bytes | None, key: str) -> str | None:
    """The text of a top-level key of a YAML document that is one line, or of the first item below it."""
    lines = (document or b"").decode("utf-8", "replace").split("\n", HEAD_LINES)[:HEAD_LINES]
    for number, line in enumerate(lines):
        name, colon, value = line.partition(":")
        if name.rstrip() == key and colon:
            value = value.strip().strip("[]")
            if not value and number + 1 < len(lines) and lines[number + 1].lstrip().startswith("- "):
                value = lines[number + 1].lstrip()[2:]
            return value.partition(" #")[0].partition(",")[0].strip().strip("\"'") or None
    return None


def card_license(card: bytes | None) -> str | None:
    """The licence that a model card (README.md) claims in the YAML before its text.

    Source: Hugging Face's model card metadata; `license: other` is told by `license_name`.
    """
    if card is None or not card.startswith((b"---\n", b"---\r\n")):
        return None
    head = card.split(b"\n---", 1)[0]
    license_ = scalar(head, "license")
    return (scalar(head, "license_name") or license_) if license_ == "other" else license_
