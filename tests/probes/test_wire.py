"""Records, as the kernel lays them out and as we read them."""

import ctypes
import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.probes import registry
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.file_change import FileChanged
from modelwarden.probes.wire import (
    S32,
    U8,
    U16,
    U32,
    U64,
    ArgumentsTail,
    Layout,
    PathTail,
    decode_arguments,
    decode_path,
    decode_place,
    header_of,
    layout,
    record,
    snake,
)

C_TYPES: dict[str, Any] = {
    "u8": ctypes.c_uint8,
    "u16": ctypes.c_uint16,
    "u32": ctypes.c_uint32,
    "s32": ctypes.c_int32,
    "u64": ctypes.c_uint64,
}


@record
class Everything(Event):
    """One field of each type. And a second sentence."""

    a: U64
    b: U32
    c: S32
    d: U16
    e: U8
    f: U8
    path: PathTail
    words: ArgumentsTail


EVERYTHING = layout(Everything, 77)
LAYOUTS = [*registry.LAYOUTS, EVERYTHING]


def struct_of(which: Layout) -> Any:
    """The record as a C compiler lays it out: the struct's text, aligned by ctypes."""
    body = which.c_source.split("{")[1].split("}")[0]
    lines = re.findall(r"(\w+) (\w+)(?:\[(\d+)\])?;", body)
    members = [(name, C_TYPES[kind] * int(many) if many else C_TYPES[kind]) for kind, name, many in lines]
    return type(which.name, (ctypes.LittleEndianStructure,), {"_fields_": members})


def tails_of(which: Layout) -> list[str]:
    """The names of its tails."""
    return [one.name for one in fields(which.event)][len(fields(which.event)) - len(which.tails) :]


COMPONENT = st.text(st.characters(exclude_characters="\0/", codec="utf-8"), min_size=1, max_size=12)
TAILS = {
    str: st.lists(COMPONENT, max_size=9).map(lambda parts: "/" + "/".join(parts)),
    tuple: st.lists(COMPONENT.filter(lambda word: decode_arguments(word.encode()) == (word,)), max_size=9).map(tuple),
}


def in_kernel(value: Any) -> bytes:
    """A tail as the kernel sends it."""
    if isinstance(value, tuple):
        return b"".join(one.encode() + b"\0" for one in value)
    return b"".join(one.encode() + b"\0" for one in reversed(value.split("/")[1:]) if one)


@given(st.data(), st.sampled_from(LAYOUTS))
def test_record_decodes_to_itself(data: st.DataObject, which: Layout) -> None:
    """Given any values packed as C lays the struct out, then the event has these values."""
    struct, names = struct_of(which), tails_of(which)
    packed, expected = struct(), dict[str, Any]()
    for name, kind in struct._fields_:
        if name in {one.name for one in fields(which.event)}:
            size = 8 * ctypes.sizeof(kind)
            low, high = (-(1 << size - 1), (1 << size - 1) - 1) if kind is ctypes.c_int32 else (0, (1 << size) - 1)
            expected[name] = data.draw(st.integers(low, high))
            setattr(packed, name, expected[name])
    behind = b""
    for name in names:
        value = data.draw(TAILS[tuple if name in {"arguments", "words"} else str])
        # A place without a walk is a text, and the root is a walk.
        expected[name], raw = value, in_kernel(value) or b"\0" * (which.event is FileChanged)
        setattr(packed, f"{name}_size", len(raw))
        behind += raw
    packed.kind, packed.length = which.kind, ctypes.sizeof(struct) + len(behind)
    raw = bytes(packed) + behind
    assert header_of(raw) == (which.kind, 0)
    assert which.decode(raw) == which.event(**expected)


@pytest.mark.parametrize("which", LAYOUTS, ids=lambda one: one.name)
def test_struct_has_no_hidden_padding(which: Layout) -> None:
    """Given the rendered struct, then C puts nothing between its fields, and records can stand in a row."""
    struct = struct_of(which)
    assert ctypes.sizeof(struct) == which.fixed.size
    assert sum(ctypes.sizeof(kind) for _, kind in struct._fields_) == which.fixed.size
    assert which.fixed.size % 8 == 0


@given(st.sampled_from(LAYOUTS), st.binary(max_size=400))
def test_lying_record_is_no_record(which: Layout, raw: bytes) -> None:
    """Whatever bytes come, they are an event or a `ValueError`, nothing else."""
    try:
        event = which.decode(raw)
    except ValueError:
        return
    assert isinstance(event, which.event)


@given(st.sampled_from(LAYOUTS), st.data())
def test_truncated_record_is_no_record(which: Layout, data: st.DataObject) -> None:
    """A record that ends before its fixed part does is refused, at each length."""
    with pytest.raises(ValueError, match=which.name):
        which.decode(bytes(data.draw(st.integers(0, which.fixed.size - 1))))


@pytest.mark.parametrize(("path_size", "words_size"), [(5, 0), (0, 5), (3, 2), (4097, 0), (65535, 65535)])
def test_tail_that_is_longer_than_the_record(path_size: int, words_size: int) -> None:
    """A length is believed only as far as there are bytes, and as the kernel may send."""
    packed = struct_of(EVERYTHING)(path_size=path_size, words_size=words_size)
    behind = bytes(4) if path_size < 4097 else bytes(4097)
    with pytest.raises(ValueError, match="everything: a tail of"):
        EVERYTHING.decode(bytes(packed) + behind)


@pytest.mark.parametrize("length", range(8))
def test_too_short_for_a_kind(length: int) -> None:
    """Fewer bytes than the header have no kind."""
    with pytest.raises(ValueError, match="no record"):
        header_of(bytes(length))


def test_misaligned_field_is_refused() -> None:
    """A field that C would move is a mistake that shows at once."""

    @record
    class Crooked(Event):
        """Crooked."""

        a: U32
        b: U64

    with pytest.raises(TypeError, match=r"Crooked.b at offset 20 is not aligned to 8"):
        layout(Crooked, 1)


def test_undeclared_field_is_refused() -> None:
    """A field without a wire type is a mistake that shows when the record is declared."""

    class Vague(Event):
        """Vague."""

        a: int

    with pytest.raises(TypeError, match=r"Vague.a needs one wire type"):
        record(Vague)


def test_scalar_behind_a_tail_is_refused() -> None:
    """The fixed part comes first."""

    class Mixed(Event):
        """Mixed."""

        path: PathTail
        a: U64

    with pytest.raises(TypeError, match=r"Mixed.a: scalars stand before tails"):
        record(Mixed)


def test_rendering() -> None:
    """The struct has the first line of the record's sentence, its kind and its limits."""
    assert EVERYTHING.c_source.startswith(
        "/* One field of each type. And a second sentence. */\n#define KIND_EVERYTHING 77"
    )
    assert "#define EVERYTHING_PATH_MAX 4096" in EVERYTHING.c_source
    assert (snake("FileOpened"), snake("A")) == ("file_opened", "a")


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"", "/"),
        (b"c\0b\0a\0", "/a/b/c"),
        (b"c\0b\0cut", "/b/c"),
        (b"\xff\n\0", "/\udcff\n"),
        (b"memfd:x\0", "/memfd:x"),
    ],
)
def test_paths(raw: bytes, path: str) -> None:
    """Components come leaf first; bytes that are no UTF-8 survive."""
    assert decode_path(raw) == path


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"", ""),
        (b"c\0b\0a\0", "/a/b/c"),
        (b"b\0a\0\0c", "/a/b/c"),
        (b"b\0a\0\0.././/c/./d", "/a/c/d"),
        (b"a\0\0../../../c", "/c"),
        (b"a\0\0/../c", "/a/c"),
        (b"\0/c//d/..", "/c"),
        (b"b\0a\0\0", "/a/b"),
        (b"\0", "/"),
        (b"../x/./y", "../x/./y"),
        (b"b\0\0\xff\n", "/b/\udcff\n"),
    ],
)
def test_places(raw: bytes, path: str) -> None:
    """A walk alone is a path, a text behind a walk begins there and does not leave a root, a text alone is itself."""
    assert decode_place(raw) == path


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", ()),
        (b"\0", ("",)),
        (b"a\0b c\0", ("a", "b c")),
        (b"a\0\0b\0", ("a", "", "b")),
        (b"a\0cu", ("a", "cu")),
        (b"--token\0secret\0", ("--token", "[redacted]")),
        (b"\xff\0", ("\udcff",)),
    ],
)
def test_arguments(raw: bytes, words: tuple[str, ...]) -> None:
    """Words are separated by NUL, empty ones count, and secrets never get any further."""
    assert decode_arguments(raw) == words
