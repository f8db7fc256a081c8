"""A JSON object from somebody's file, or nothing."""

import json
from typing import cast

from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT


def parse(data: bytes | None) -> dict[str, object] | None:
    """The object in `data`; `None` for what is missing, longer than a document may be, or anything else.

    A megabyte of the most wasteful JSON takes some 40 MiB of memory.
    """
    if data is None or len(data) > DOCUMENT_LIMIT:
        return None
    try:
        document = json.loads(data.decode())
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", document) if isinstance(document, dict) else None
