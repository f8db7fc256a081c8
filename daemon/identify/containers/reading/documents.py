"""Reads the JSON of an engine's files: only what is asked for is built, and too much is refused."""

from typing import TypeVar

import msgspec

DOCUMENT_BYTES_MAX = 8 << 20
VALUES_MAX = 200_000
"""Commas and opening braces in a document: a thousand containers have a tenth of that."""
TEXT_MAX = 200

_WantedT = TypeVar("_WantedT")


def read(document: bytes | str, wanted: type[_WantedT]) -> _WantedT | None:
    """The parts of a document that `wanted` names; `None` when it is something else. Never raises.

    Whatever `wanted` does not name is skipped without being built, nesting is bounded by the decoder.
    """
    values = document.count(b",") + document.count(b"{") if isinstance(document, bytes) else 0
    if len(document) > DOCUMENT_BYTES_MAX or values > VALUES_MAX:
        return None
    try:
        return msgspec.json.decode(document, type=wanted)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return None


def text(value: str | None) -> str | None:
    """A claim without outer blanks and of bounded length; `None` when it says nothing."""
    if value is None:
        return None
    # JSON may hold lone surrogates, which no encoder downstream takes.
    cut = value[:TEXT_MAX].encode("utf-8", "replace").decode("utf-8")
    return cut.strip() or None
