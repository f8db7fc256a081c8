"""One declaration of a kernel record gives its C struct, its decoder and its typed event.

A record is a frozen dataclass whose fields are annotated with the types below. Scalars come first, in
the order of declaration and naturally aligned; variable-length tails come last and travel behind the
fixed part at their real length, so that a short path makes a short record.
"""

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Any, TypeVar, dataclass_transform, get_args, get_type_hints

from modelwarden.probes.event import Event
from modelwarden.probes.redact import redact


@dataclass(frozen=True, slots=True)
class Scalar:
    """A fixed-width integer: its `struct` code and its C type."""

    code: str
    c_type: str


@dataclass(frozen=True, slots=True)
class Tail:
    """Bytes of variable length behind the fixed part; the kernel sends at most `limit` of them."""

    limit: int
    decode: Callable[[bytes], Any]


def decode_path(raw: bytes) -> str:
    """Path components, each NUL-terminated, from the leaf to the root, as the kernel walked them.

    Bytes that are no UTF-8 survive as surrogates (PEP 383).
    """
    return "/" + "/".join(reversed(os.fsdecode(raw).split("\0")[:-1]))


def decode_place(raw: bytes) -> str:
    """A path as `decode_path`, or what a system call was given: the walk to where it begins, a NUL, the text.

    `.` and `..` are taken out of such a text; links in it are not followed. Bytes without a walk are a text of its own.
    """
    walked, separator, text = (os.fsdecode(part) for part in raw.rpartition(b"\0"))
    if not separator:
        return text
    base = [one for one in reversed(walked.split("\0")) if one]
    if not text:
        return "/" + "/".join(base)
    # Nothing leads out of the root that an absolute path begins in.
    return "/" + "/".join([*base, *_normal([], text)] if text.startswith("/") else _normal(base, text))


def _normal(base: list[str], text: str) -> list[str]:
    found = base[:]
    for part in text.split("/"):
        if part == "..":
            del found[-1:]
        elif part not in {"", "."}:
            found.append(part)
    return found


def decode_arguments(raw: bytes) -> tuple[str, ...]:
    """The arguments of a program, NUL-separated, without the secrets in them; the last one may be cut."""
    return redact(tuple(os.fsdecode(raw).removesuffix("\0").split("\0"))) if raw else ()


U8 = Annotated[int, Scalar("B", "u8")]
U16 = Annotated[int, Scalar("H", "u16")]
U32 = Annotated[int, Scalar("I", "u32")]
S32 = Annotated[int, Scalar("i", "s32")]
U64 = Annotated[int, Scalar("Q", "u64")]

COMPONENTS_MAX = 64
"""Path components that the kernel walks at most: a loop of 64 is what the verifier of 5.10 takes."""
PATH_BYTES_MAX = 4096
ARGUMENT_BYTES_MAX = 4096

PathTail = Annotated[str, Tail(PATH_BYTES_MAX, decode_path)]
PlaceTail = Annotated[str, Tail(PATH_BYTES_MAX, decode_place)]
ArgumentsTail = Annotated[tuple[str, ...], Tail(ARGUMENT_BYTES_MAX, decode_arguments)]

_HEADER = struct.Struct("<HHI")
"""Kind, flags, length of the whole record in bytes."""
SELF_TEST = 1
"""Flag of a record that proves a probe: it tells of nobody."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one record lies in memory, on both sides of the ring buffer."""

    name: str
    kind: int
    event: type[Event]
    fixed: struct.Struct
    tails: tuple[Tail, ...]
    c_source: str

    def decode(self, raw: bytes) -> Event:
        """The typed event of one record; `ValueError` when the bytes are no such record."""
        if len(raw) < self.fixed.size:
            raise ValueError(f"{self.name}: {len(raw)} bytes, the fixed part has {self.fixed.size}")
        values = self.fixed.unpack_from(raw)
        if not self.tails:
            return self.event(*values)
        count = len(self.tails)
        end = self.fixed.size
        decoded = []
        for tail, size in zip(self.tails, values[-count:], strict=True):
            start, end = end, end + size
            if size > tail.limit or end > len(raw):
                raise ValueError(f"{self.name}: a tail of {size} bytes in a record of {len(raw)}")
            decoded.append(tail.decode(raw[start:end]))
        return self.event(*values[:-count], *decoded)


RecordT = TypeVar("RecordT", bound=Event)


@dataclass_transform(frozen_default=True)
def record(cls: type[RecordT]) -> type[RecordT]:
    """Declares a kernel record: a frozen, slotted dataclass whose layout `layouts` can render."""
    made = dataclass(frozen=True, slots=True)(cls)
    _marks(made)
    return made


def snake(name: str) -> str:
    """`FileOpened` is `file_opened` in C and in metrics."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _marks(cls: type[Event]) -> Iterator[tuple[str, Scalar | Tail]]:
    """Each field with its wire type; `TypeError` for a field that has none or stands in a wrong place."""
    hints = get_type_hints(cls, include_extras=True)
    marks: list[tuple[str, Scalar | Tail]] = []
    for field in fields(cls):
        if field.name == "at":
            marks.append(("at", Scalar("Q", "u64")))
            continue
        found = [m for m in get_args(hints[field.name])[1:] if isinstance(m, Scalar | Tail)]
        if len(found) != 1:
            raise TypeError(f"{cls.__name__}.{field.name} needs one wire type, such as U64 or PathTail")
        if isinstance(found[0], Scalar) and marks and isinstance(marks[-1][1], Tail):
            raise TypeError(f"{cls.__name__}.{field.name}: scalars stand before tails")
        marks.append((field.name, found[0]))
    return iter(marks)


def layout(cls: type[Event], kind: int) -> Layout:
    """The layout of one record class under a kind number; `TypeError` for a misaligned field."""
    name = snake(cls.__name__)
    code, offset, lines, tails = "<8x", _HEADER.size, ["\tu16 kind;", "\tu16 flags;", "\tu32 length;"], []
    marks = list(_marks(cls))
    scalars = [(n, m) for n, m in marks if isinstance(m, Scalar)]
    tails = [(n, m) for n, m in marks if isinstance(m, Tail)]
    for field, mark in [*scalars, *((f"{n}_size", Scalar("H", "u16")) for n, _ in tails)]:
        width = struct.calcsize(mark.code)
        if offset % width:
            raise TypeError(f"{cls.__name__}.{field} at offset {offset} is not aligned to {width}")
        code, offset = code + mark.code, offset + width
        lines.append(f"\t{mark.c_type} {field};")
    if padding := -offset % 8:
        code, lines = f"{code}{padding}x", [*lines, f"\tu8 padding[{padding}];"]
    doc = (cls.__doc__ or "").strip().splitlines()[0]
    upper = name.upper()
    source = [f"/* {doc} */", f"#define KIND_{upper} {kind}", f"struct {name} {{", *lines, "};"]
    source += [f"#define {upper}_{n.upper()}_MAX {m.limit}" for n, m in tails]
    return Layout(name, kind, cls, struct.Struct(code), tuple(m for _, m in tails), "\n".join(source) + "\n")


def header_of(raw: bytes) -> tuple[int, int]:
    """(kind number, flags) that a record starts with; `ValueError` when it is too short to have them."""
    if len(raw) < _HEADER.size:
        raise ValueError(f"{len(raw)} bytes are no record")
    kind, flags, _ = _HEADER.unpack_from(raw)
    return kind, flags
