"""The header of a safetensors file: one JSON object, read an entry at a time.

Source: the README and `src/tensor.rs` of the safetensors repository (layout, limits, the rule that
the buffer has no holes), the ModelSpec and kohya conventions for `__metadata__`.
"""

import re
from collections.abc import Iterator
from json import JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed has it without a public name
from math import prod
from typing import TypeGuard

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import CUT_SHORT, Damaged
from modelwarden.daemon.identify.sniffer import Window

HEADER_MAX = 100_000_000
"""The longest header that the reference reader takes (MAX_HEADER_SIZE)."""
HEADER_LIMIT = 16 << 20
"""The part of a header that an inspection reads; the longest real ones have 3 MiB."""
ENTRIES_LIMIT = 150_000
DTYPE_LIMIT = 32
SPANS = (512, 1 << 16, 1 << 20)
"""How much of the header is decoded to find the end of one entry: nearly always the first is enough.

Decoding an entry at a time keeps nested or repeated values from filling the memory.
"""
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
NAMES = ("modelspec.title", "ss_output_name", "name")
ARCHITECTURES = ("modelspec.architecture", "ss_base_model_version", "architecture")
LICENSES = ("modelspec.license", "license")
NO_JSON = "its header is not valid JSON"

_SIGNS = re.compile(rb'"(?:dtype|data_offsets|__metadata__)"')
_DECODER = JSONDecoder()
_BLANKS = re.compile(rb"[ \t\r\n]*")


class Header:
    """What the entries of a header add up to."""

    __slots__ = ("dtypes", "end", "entries", "metadata", "parameters")

    def __init__(self) -> None:
        self.metadata: dict[str, object] = {}
        self.dtypes: dict[str, int] = {}
        self.parameters = 0
        self.entries = 0
        self.end = 0
        """Where the last tensor ends, in bytes from the start of the buffer."""

    def add(self, name: str, value: object) -> None:
        """Take one entry: raises `Damaged` for one that no safetensors file has."""
        self.entries += 1
        if self.entries > ENTRIES_LIMIT:
            raise Damaged("it has more tensors than an inspection reads")
        if not isinstance(value, dict):
            raise Damaged("an entry of its header is no object")
        if name == "__metadata__":
            self.metadata = {key: value.get(key) for key in (*NAMES, *ARCHITECTURES, *LICENSES)}
            return
        dtype, shape, offsets = value.get("dtype"), value.get("shape"), value.get("data_offsets")
        if (
            not isinstance(dtype, str)
            or len(dtype) > DTYPE_LIMIT
            or not _are_sizes(shape)
            or not _are_sizes(offsets)
            or len(offsets) != 2
        ):
            raise Damaged("a tensor lacks its type, shape or place")
        # Sizes beyond the limit would make the product itself expensive.
        if len(shape) > 64 or any(size > claims.PARAMETERS_LIMIT for size in shape):
            raise Damaged(claims.TOO_MANY_PARAMETERS)
        weights = prod(shape)
        if weights * BITS.get(dtype, 0) > (offsets[1] - offsets[0]) * 8:
            raise Damaged("a tensor is larger than the place that it has")
        self.parameters += weights
        if self.parameters > claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)
        self.dtypes[dtype] = self.dtypes.get(dtype, 0) + weights
        self.end = max(self.end, offsets[1])

    def claim(self, keys: tuple[str, ...]) -> str | None:
        """The first of `keys` for which the metadata says something."""
        for key in keys:
            value = claims.text(_utf8(self.metadata.get(key)))
            if value is not None:
                return value
        return None


def is_header(head: bytes, size: int) -> bool:
    """Whether a file of `size` bytes can be one: a plausible length of the header in front of an opening brace.

    A header that does not fit the file is a download that stopped, if it looks like JSON further on.
    """
    length = int.from_bytes(head[:8], "little")
    if size < 10 or not 2 <= length <= HEADER_MAX or head[8:9] != b"{":
        return False
    return length <= size - 8 or head[9:10] in {b'"', b" "}


def read(window: Window, header: Header) -> str | None:
    """Fill `header`: the problem of one whose tensors do not fit the file; raises `Damaged` with what was read."""
    length = int.from_bytes(window.read(0, 8), "little")
    data = window.read(8, min(length, HEADER_LIMIT))
    ends_early = "its header is larger than an inspection reads" if length > HEADER_LIMIT else CUT_SHORT
    for name, value in _entries(data, ends_early):
        header.add(name, value)
    return _misfit(header.end, window.size - 8 - length, window.size)


def is_signed(window: Window) -> bool:
    """Whether a damaged header has words of the format in its first KiB."""
    return _SIGNS.search(window.read(8, 1024)) is not None


def _misfit(needs: int, has: int, size: int) -> str | None:
    if needs > has:
        return claims.cut_short(size, size - has + needs)
    if needs < has:
        return f"{has - needs} bytes behind its tensors belong to none"
    return None


def _entries(data: bytes, ends_early: str) -> Iterator[tuple[str, object]]:
    """The entries of the JSON object in `data`; raises `Damaged`, with `ends_early` where the object does not end."""
    at = _skip_blanks(data, 1)
    if data[at : at + 1] == b"}":
        return
    while at < len(data):
        name, value, at = _entry(data, at, ends_early)
        yield name, value
        at = _skip_blanks(data, at)
        if data[at : at + 1] == b"}":
            if _skip_blanks(data, at + 1) < len(data):
                raise Damaged(NO_JSON)
            return
        if data[at : at + 1] not in {b",", b""}:
            raise Damaged(NO_JSON)
        at = _skip_blanks(data, at + 1)
    raise Damaged(ends_early)


def _entry(data: bytes, at: int, ends_early: str) -> tuple[str, object, int]:
    for span in SPANS:
        # One character a byte, so that positions stay positions; claims are decoded when they are used.
        text = data[at : at + span].decode("latin-1")
        try:
            name, end = scanstring(text, _after(text, 0, '"'), True)  # noqa: FBT003  (the C function takes no keywords)
            value, end = _DECODER.raw_decode(text, _after(text, end, ":"))
        except RecursionError:
            raise Damaged(NO_JSON) from None
        except (ValueError, IndexError):
            # Cut by the span, or no JSON: only a longer span can tell.
            continue
        return name, value, at + end
    raise Damaged(ends_early if at + SPANS[-1] > len(data) else NO_JSON)


def _after(text: str, at: int, mark: str) -> int:
    """Where the text goes on behind `mark` and the blanks around it; raises `IndexError` at another character."""
    while text[at] in " \t\r\n":
        at += 1
    if text[at] != mark:
        raise IndexError
    at += 1
    while mark == ":" and text[at] in " \t\r\n":
        at += 1
    return at


def _skip_blanks(data: bytes, at: int) -> int:
    found = _BLANKS.match(data, at)
    return found.end() if found else at


def _are_sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _utf8(value: object) -> object:
    if not isinstance(value, str):
        return None
    try:
        return value.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # it came from an escape and is text already
        return value
