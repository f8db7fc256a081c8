"""The opcodes of a pickle in order, with arguments only as far as they are short.

Source: `pickletools.py` of CPython, which says of each opcode what argument follows it and what it does to the stack.
`pickletools.genops` would do, but reads every argument into memory, and a file that claims 2⁶⁰ bytes whole.
"""

import pickletools
from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple

from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged

TEXT_LIMIT = 300
"""Longer text is stepped over: no name, key or type is longer."""
NUMBER_LIMIT = 64
"""Digits or bytes of a number that is kept."""
LINE_LIMIT = 1 << 20
LENGTH_MAX = 1 << 63
NO_PICKLE = "its pickle is damaged"


class Opcode(NamedTuple):
    """What one byte of a pickle orders."""

    name: str
    argument: Callable[[Cursor], object] | None
    pops: int
    to_mark: bool
    """Whether it takes everything above the topmost mark before it pops."""
    pushes: int


def operations(cursor: Cursor) -> Iterator[tuple[Opcode, object]]:
    """Each opcode with its argument, `None` for one that is none or too long; raises `Damaged` at anything else."""
    while True:
        opcode = OPCODES.get(cursor.take(1)[0])
        if opcode is None:
            raise Damaged(NO_PICKLE)
        yield opcode, opcode.argument(cursor) if opcode.argument is not None else None


def _fixed(code: str) -> Callable[[Cursor], object]:
    layout = Struct(code)
    return lambda cursor: layout.unpack(cursor.take(layout.size))[0]


def _counted(code: str, decode: Callable[[bytes], object], limit: int = TEXT_LIMIT) -> Callable[[Cursor], object]:
    """Something behind its length in bytes."""
    layout = Struct(code)

    def read(cursor: Cursor) -> object:
        length = cursor.number(layout)
        if not 0 <= length < LENGTH_MAX:
            raise Damaged(NO_PICKLE)
        if length > limit:
            cursor.skip(length)
            return None
        return decode(cursor.take(length))

    return read


def _line(decode: Callable[[bytes], object]) -> Callable[[Cursor], object]:
    """Something up to the end of its line."""
    return lambda cursor: decode(cursor.line(LINE_LIMIT))


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Damaged(NO_PICKLE) from None


def _short_text(data: bytes) -> str | None:
    return data.decode("latin-1") if len(data) <= TEXT_LIMIT else None


def _quoted(data: bytes) -> str | None:
    """The text of a string in quotes; its escapes stay, since no name has any."""
    data = data.strip()
    if len(data) < 2 or data[:1] not in {b"'", b'"'} or data[-1:] != data[:1]:
        raise Damaged(NO_PICKLE)
    return _short_text(data[1:-1])


def _nothing(_data: bytes) -> None:
    return None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _decimal(data: bytes) -> int | None:
    digits = data.removesuffix(b"L").strip()
    if not digits.removeprefix(b"-").isdigit():
        raise Damaged(NO_PICKLE)
    return int(digits) if len(digits) <= NUMBER_LIMIT else None


def _float(data: bytes) -> float:
    try:
        return float(data[: TEXT_LIMIT + 1])
    except ValueError:
        raise Damaged(NO_PICKLE) from None


def _module_and_name(cursor: Cursor) -> str:
    return f"{_utf8(cursor.line(TEXT_LIMIT))}.{_utf8(cursor.line(TEXT_LIMIT))}"


ARGUMENTS: dict[str, Callable[[Cursor], object]] = {
    "uint1": _fixed("<B"),
    "uint2": _fixed("<H"),
    "int4": _fixed("<i"),
    "uint4": _fixed("<I"),
    "uint8": _fixed("<Q"),
    "float8": _fixed(">d"),
    "long1": _counted("<B", _little, NUMBER_LIMIT),
    "long4": _counted("<i", _little, NUMBER_LIMIT),
    "string1": _counted("<B", _short_text),
    "string4": _counted("<i", _short_text),
    "bytes1": _counted("<B", _nothing),
    "bytes4": _counted("<I", _nothing),
    "bytes8": _counted("<Q", _nothing),
    "bytearray8": _counted("<Q", _nothing),
    "unicodestring1": _counted("<B", _utf8),
    "unicodestring4": _counted("<I", _utf8),
    "unicodestring8": _counted("<Q", _utf8),
    "decimalnl_short": _line(_decimal),
    "decimalnl_long": _line(_decimal),
    "floatnl": _line(_float),
    "stringnl": _line(_quoted),
    "stringnl_noescape": _line(_short_text),
    "unicodestringnl": _line(_short_text),
    "stringnl_noescape_pair": _module_and_name,
}


def _opcode(info: pickletools.OpcodeInfo) -> Opcode:
    before = info.stack_before
    to_mark = pickletools.stackslice in before or before[-1:] == [pickletools.markobject]
    pops = sum(part is not pickletools.markobject and part is not pickletools.stackslice for part in before)
    reader = ARGUMENTS[info.arg.name] if info.arg is not None else None
    return Opcode(info.name, reader, pops, to_mark, len(info.stack_after))


OPCODES = {ord(info.code): _opcode(info) for info in pickletools.opcodes}
