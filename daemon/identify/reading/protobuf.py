"""A bounded walk over protocol buffers, which steps over what nobody asks for without reading it.

Source: "Encoding" in the documentation of protocol buffers. Groups, which nobody has written since version 2, are
refused.
"""

from collections.abc import Iterator

from modelwarden.daemon.identify.reading.damage import CUT_SHORT, Damaged
from modelwarden.daemon.identify.reading.source import Source

FIELDS_LIMIT = 250_000
"""Fields in all of one file: the largest real graphs have some ten thousand nodes with some fields each."""
DEPTH_LIMIT = 16
"""Messages within messages of one kind (graphs in graphs): real ones have three."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
FIRST_READ, JUMP_READ, LONGEST_READ = 16 << 10, 2 << 10, 64 << 10
NEAR = 4 << 10
"""A step of fewer bytes goes on in the same piece of the file, which is then read in larger and larger pieces."""
ROOM = 20
"""Bytes that the longest tag and the longest number take together."""
NO_MESSAGE = "it is no valid protocol buffer"
TOO_MANY_FIELDS = "it has more fields than an inspection reads"
TOO_DEEP = "it is nested deeper than any model"

Field = tuple[int, int, int]
"""Tag, start and end of the payload; for a varint its value stands in place of the start."""


def varint(number: int) -> int:
    """The tag of a number or enumeration."""
    return number << 3 | VARINT


def length(number: int) -> int:
    """The tag of a string, a message or packed numbers."""
    return number << 3 | LENGTH


class Reader:
    """The walks over one file; all of them together are bounded."""

    __slots__ = ("_base", "_buffer", "_chunk", "_left", "_safe", "_source", "size")

    def __init__(self, source: Source, limit: int = FIELDS_LIMIT) -> None:
        self._source = source
        self.size = source.size
        self._left = limit
        self._base = 0
        self._chunk = FIRST_READ // 2
        self._buffer = b""
        self._safe = 0
        """Below this place in the buffer a whole tag with its number is there."""

    def fields(self, at: int, end: int) -> Iterator[Field]:  # noqa: C901  (one loop, because it runs for each field)
        """The fields of the message between two offsets.

        The last payload of a file that is cut short ends beyond the file. Raises `Damaged` after it, and for
        what is no message.
        """
        while at < end:
            offset = at - self._base
            if not 0 <= offset < self._safe:
                offset = self._seek(at)
            self._left -= 1
            if self._left < 0:
                raise Damaged(TOO_MANY_FIELDS)
            buffer, base = self._buffer, self._base
            try:
                tag = buffer[offset]
                offset += 1
                if tag > 127:
                    tag, offset = _number(buffer, offset - 1)
                if tag & 7 in {VARINT, LENGTH}:
                    start = buffer[offset]
                    offset += 1
                    if start > 127:
                        start, offset = _number(buffer, offset - 1)
                    at = base + offset
                    if tag & 7 == LENGTH:
                        start, at = at, at + start
                else:
                    start = base + offset
                    at = start + _fixed(tag)
            except IndexError:
                raise Damaged(CUT_SHORT) from None
            if tag < 8 or (at > end and (end < self.size or tag & 7 != LENGTH)):
                raise Damaged(NO_MESSAGE)
            yield tag, start, at
        if at > self.size:
            raise Damaged(CUT_SHORT)

    def data(self, start: int, end: int, limit: int) -> bytes:
        """The first `limit` bytes of a payload."""
        wanted = min(end - start, limit)
        offset = start - self._base
        if offset >= 0 and offset + wanted <= len(self._buffer):
            return self._buffer[offset : offset + wanted]
        return self._source.read(start, wanted)

    def numbers(self, start: int, end: int, limit: int) -> list[int]:
        """Packed varints; raises `Damaged` when there are more than `limit`."""
        data = self.data(start, end, limit * 10)
        if len(data) < end - start:
            raise Damaged(CUT_SHORT if end > self.size else TOO_MANY_FIELDS)
        found, offset = [], 0
        try:
            while offset < len(data):
                number, offset = _number(data, offset)
                found.append(number)
        except IndexError:
            raise Damaged(NO_MESSAGE) from None
        return found

    def _seek(self, at: int) -> int:
        """Bring what is at an offset into the buffer; the result is where in it."""
        behind = at - self._base - len(self._buffer)
        self._chunk = min(self._chunk * 2, LONGEST_READ) if -ROOM <= behind < NEAR else JUMP_READ
        self._buffer = self._source.read(at, self._chunk)
        if not self._buffer:
            raise Damaged(CUT_SHORT)
        self._base = at
        is_last = at + len(self._buffer) >= self.size
        self._safe = len(self._buffer) if is_last else max(1, len(self._buffer) - ROOM)
        return 0


def _number(data: bytes, offset: int) -> tuple[int, int]:
    """A varint with the place behind it; raises `IndexError` at the end of the data."""
    value = shift = 0
    while True:
        byte = data[offset]
        offset += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, offset
        shift += 7
        if shift > 63:
            raise Damaged(NO_MESSAGE)


def _fixed(tag: int) -> int:
    match tag & 7:
        case 1:
            return 8
        case 5:
            return 4
        case _:
            raise Damaged(NO_MESSAGE)
