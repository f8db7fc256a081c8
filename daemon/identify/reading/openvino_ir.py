"""The graph that OpenVINO writes as XML, read for its constants without an XML parser.

A parser would build what the file describes, entities included. Here two expressions look for the elements that
matter; each is quoted-aware and possessive, so that no file makes them go back over what they have read.
Source: "OpenVINO IR format" in its documentation; `src/core/xml_util` of OpenVINO, which writes the files.
"""

import re
from collections.abc import Iterator

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import CUT_SHORT, Damaged
from modelwarden.daemon.identify.reading.tally import DIMENSIONS_LIMIT, Tally, weights_of

HEAD_BYTES = 4096
LAYERS_LIMIT = 100_000
VERSIONS = frozenset((b"10", b"11"))
"""IR versions in which constants have element types; older ones have not been read since 2022."""
ATTRIBUTES = rb'((?:\s++[\w:.-]{1,64}+="[^"<]*+"){0,32}+)\s*+/?>'
NET = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^<>]{0,200}+>\s*+)?(?:<!--[^<>]{0,500}+>\s*+)?<net\b"
    + ATTRIBUTES
    + rb"\s*+<layers\b"
)
CONSTANT = re.compile(rb"<layer\b" + ATTRIBUTES + rb"\s*+<data\b" + ATTRIBUTES)
ATTRIBUTE = re.compile(rb'([\w:.-]{1,64}+)="([^"<]*+)"')
IS_CONSTANT = b'type="Const"'
END = re.compile(rb"</net>\s*+\Z")
TYPES = {
    "f32": ("F32", 32), "f16": ("F16", 16), "bf16": ("BF16", 16), "f64": ("F64", 64), "i4": ("I4", 4), "i8": ("I8", 8),
    "i16": ("I16", 16), "i32": ("I32", 32), "i64": ("I64", 64), "u1": ("U1", 1), "u2": ("U2", 2), "u3": ("U3", 3),
    "u4": ("U4", 4), "u6": ("U6", 6), "u8": ("U8", 8), "u16": ("U16", 16), "u32": ("U32", 32), "u64": ("U64", 64),
    "nf4": ("NF4", 4), "boolean": ("BOOL", 8), "f8e4m3": ("F8_E4M3", 8), "f8e5m2": ("F8_E5M2", 8),
    "f8e8m0": ("F8_E8M0", 8), "f4e2m1": ("F4", 4),
}  # fmt: skip
"""By element type: the name in the census, the bits of an element. Strings are no weights."""
SHAPE = re.compile(rb"\d{1,18}(?:, ?\d{1,18}){0,%d}" % (DIMENSIONS_LIMIT - 1))
NUMBER = re.compile(rb"\d{1,18}")


class Graph:
    """What the constants of one graph add up to."""

    __slots__ = ("end", "name", "tally")

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.tally = Tally()
        self.end = 0
        """Bytes that the file of weights needs to have."""

    def read(self, xml: bytes) -> None:
        """Add up the constants; raises `Damaged` with the sums up to there."""
        seen: set[int] = set()
        for attributes in _constants(xml):
            offset, size = _number(attributes, b"offset"), _number(attributes, b"size")
            self.end = max(self.end, offset + size)
            kind = attributes.get(b"element_type", b"").decode("ascii", "replace").lower()
            if offset in seen or kind not in TYPES:
                continue  # weights that two layers share count once
            seen.add(offset)
            shape = attributes.get(b"shape", b"")
            if shape and not SHAPE.fullmatch(shape):
                raise Damaged("a constant has no shape")
            weights = weights_of(map(int, shape.split(b",")) if shape else ())
            name, bits = TYPES[kind]
            if weights * bits > size * 8 + 7:
                raise Damaged("a tensor is larger than the place that it has")
            self.tally.add(name, weights)
        if not END.search(xml, max(0, len(xml) - 64)):
            raise Damaged(CUT_SHORT)


def graph_of(xml: bytes) -> Graph | None:
    """The graph that a document begins to describe, `None` for any other document."""
    found = NET.match(xml[:HEAD_BYTES])
    if found is None:
        return None
    attributes = dict(ATTRIBUTE.findall(found[1]))
    return Graph(claims.text(attributes.get(b"name"))) if attributes.get(b"version") in VERSIONS else None


def _constants(xml: bytes) -> Iterator[dict[bytes, bytes]]:
    for count, found in enumerate(CONSTANT.finditer(xml)):
        if count == LAYERS_LIMIT:
            raise Damaged("it has more layers than an inspection reads")
        if IS_CONSTANT in found[1]:
            yield dict(ATTRIBUTE.findall(found[2]))


def _number(attributes: dict[bytes, bytes], key: bytes) -> int:
    value = attributes.get(key, b"0")
    if not NUMBER.fullmatch(value):
        raise Damaged("a constant has no place")
    return int(value)
