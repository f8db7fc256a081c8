"""The header of one numpy array: what its elements are and how many there are.

Source: `numpy/lib/_format_impl.py` (NEP 1). The header is a Python literal; only the two forms in which numpy writes
the wanted keys are understood, so that nothing in it can nest.
"""

import re
from dataclasses import dataclass
from math import prod

from modelwarden.daemon.identify.reading.damage import CUT_SHORT, Damaged, EndsEarly

MAGIC = b"\x93NUMPY"
HEADER_LIMIT = 1 << 16
"""Bytes of a header that are read: numpy itself refuses more than 10 000 unless it is told to trust the file."""
DIMENSIONS_MAX = 64
ELEMENTS_MAX = 1 << 63
OBJECTS = "object"
TYPES = {
    "f2": "F16", "f4": "F32", "f8": "F64", "c8": "C64", "c16": "C128", "b1": "BOOL",
    "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64",
    "V2": "BF16",  # numpy does not know bfloat16; ml_dtypes, which JAX uses, saves it as two bytes
}  # fmt: skip
_TYPE = re.compile(r"""['"]descr['"]\s*:\s*(?:['"][<>=|]?([a-zA-Z][0-9]{0,9})(?:\[[^'"\]]{0,20}\])?['"]|(\[))""")
_SHAPE = re.compile(r"""['"]shape['"]\s*:\s*\(([0-9L,\s]*)\)""")


@dataclass(frozen=True, slots=True)
class Array:
    """An array as its header describes it."""

    kind: str | None
    """The type as the census names it, `object` for pickled Python objects, `None` for text, times and structures."""
    elements: int
    needs: int
    """Bytes that header and elements take, as far as the type tells; objects have no size."""


def parse(data: bytes) -> Array:
    """The array whose file begins with `data`; raises `Damaged` where it is none, or is cut off in its header."""
    if data[:6] != MAGIC or data[6:7] not in {b"\1", b"\2", b"\3"}:
        raise Damaged("an array in it has no header")
    start = 10 if data[6] == 1 else 12
    length = int.from_bytes(data[8:start], "little")
    if length > HEADER_LIMIT:
        raise Damaged("the header of an array is longer than an inspection reads")
    if len(data) < start + length:
        raise EndsEarly(CUT_SHORT)
    header = data[start : start + length].decode("latin-1")
    kind, shape = _TYPE.search(header), _SHAPE.search(header)
    if kind is None or shape is None:
        raise Damaged("the header of an array has no type or no shape")
    sizes = [part.strip().removesuffix("L") for part in shape[1].split(",") if part.strip()]
    if len(sizes) > DIMENSIONS_MAX or not all(size.isdigit() and len(size) < 20 for size in sizes):
        raise Damaged("an array has more dimensions or elements than can be")
    elements = prod(map(int, sizes))
    if elements > ELEMENTS_MAX:
        raise Damaged("an array has more dimensions or elements than can be")
    code = kind[1] or ""
    if code[:1] == "O":
        return Array(OBJECTS, elements, start + length)
    return Array(TYPES.get(code), elements, start + length + elements * _element_bytes(code))


def _element_bytes(code: str) -> int:
    size = int(code[1:] or 0)
    return size * 4 if code[:1] == "U" else size
