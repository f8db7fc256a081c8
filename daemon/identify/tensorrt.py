"""TensorRT engines, which NVIDIA's compiler makes of a model for one kind of GPU.

The format is not documented. Source: `getPlanVersionOnly` in `samples/common/sampleEngines.cpp` of TensorRT (tag
`ftrt`, version at byte 24), `source/tensorrt.js` of Netron (older tag `ptrt`, places of the size),
`engine/exporter.py` of Ultralytics (a length with JSON in front of the engine).
"""

import json
from dataclasses import dataclass
from struct import Struct

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

TAGS = (b"ftrt", b"ptrt")
HEADER = Struct("<4s5I4B")
"""Tag, version of the header, four numbers by that version; then that of TensorRT (major, minor, patch, build)."""
MAJORS = range(4, 21)
OLDER = frozenset((0x57, 0x59, 0x60, 0x61))
"""Header versions of TensorRT 5 to 7 with the size at byte 12; the others have it at byte 16."""
HEADER_VERSION_LIMIT = 0x400
SERIAL_LIMIT = 0x1_0000
"""Versions of what follows are numbers such as 205 (TensorRT 8.2) and 232 (8.5)."""
SIZE_LIMIT = 1 << 42
JSON_LIMIT = 256 << 10
"""Bytes of JSON in front: a thousand names of classes take 30 KiB."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where in a file an engine begins, with what is said of it there."""

    offset: int
    name: str | None = None
    license: str | None = None


class TensorRt:
    """The engine format of TensorRT."""

    name = "tensorrt"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the tag, or by the length of the JSON that Ultralytics puts in front."""
        return size > HEADER.size and (head[:4] in TAGS or (head[3:5] == b"\0{" and head[:3] != b"\0\0\0"))

    def identify(self, window: Window) -> Identity | None:
        """The identity, `None` when the numbers behind the tag are not those of an engine."""
        start = _start(window)
        if start is None:
            return None
        header = window.read(start.offset, HEADER.size)
        if len(header) < HEADER.size or header[:4] not in TAGS:
            return None
        needs = _needs(header)
        if needs is None:
            return None
        needs += start.offset
        problem = claims.cut_short(window.size, needs) if needs > window.size else None
        return Identity(self.name, name=start.name, license=start.license, problem=problem)


def _start(window: Window) -> Start | None:
    head = window.read(0, 5)
    if head[:4] in TAGS:
        return Start(0)
    length = int.from_bytes(head[:4], "little")
    if not 2 <= length <= JSON_LIMIT or length + 4 + HEADER.size > window.size:
        return None
    if window.read(4 + length, 4) not in TAGS:
        return None
    try:
        said = json.loads(window.read(4, length))
    except (ValueError, RecursionError, BudgetSpentError):
        return None
    if not isinstance(said, dict):
        return None
    return Start(4 + length, claims.text(said.get("description")), claims.text(said.get("license")))


def _needs(header: bytes) -> int | None:
    """The bytes that header and engine take, `None` where the numbers are no engine's."""
    _tag, version, serial, _low, _high, _last, *release = HEADER.unpack(header)
    if version >= HEADER_VERSION_LIMIT or serial >= SERIAL_LIMIT:
        return None
    at = 12 if version in OLDER else 16
    size = int.from_bytes(header[at : at + 8], "little")
    if not 0 < size <= SIZE_LIMIT:
        return None
    if version == 0 and release[0] not in MAJORS:
        return None
    return 24 + size


FORMAT: Format = TensorRt()
