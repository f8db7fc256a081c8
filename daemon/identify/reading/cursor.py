"""A buffered walk forward through a window, for formats that are read from front to back."""

from struct import Struct

from modelwarden.daemon.identify.reading.damage import CUT_SHORT, Damaged, EndsEarly
from modelwarden.daemon.identify.sniffer import Window

LONG_LINE = "a line of it is longer than an inspection reads"


class Cursor:
    """A position in a window that only grows; every step past the end of the file raises `EndsEarly`."""

    __slots__ = ("_at", "_buffer", "_chunk", "_start", "_window")

    def __init__(self, window: Window, offset: int = 0, chunk: int = 1 << 16) -> None:
        self._window = window
        self._start = offset
        self._buffer = b""
        self._at = 0
        self._chunk = chunk

    @property
    def offset(self) -> int:
        """Where in the file the next byte is."""
        return self._start + self._at

    def take(self, length: int) -> bytes:
        """The next `length` bytes, all of them."""
        end = self._at + length
        if end > len(self._buffer):
            self._fill(length)
            end = length
        data = self._buffer[self._at : end]
        self._at = end
        return data

    def number(self, layout: Struct) -> int:
        """The next integer, as the one-field `layout` has it."""
        return int(layout.unpack(self.take(layout.size))[0])

    def skip(self, length: int) -> None:
        """Step over `length` bytes without reading those that are not yet in memory."""
        if length > self._window.size - self.offset:
            raise EndsEarly(CUT_SHORT)
        self._at += length
        if self._at > len(self._buffer):
            self._start, self._buffer, self._at = self.offset, b"", 0

    def line(self, limit: int) -> bytes:
        """The bytes up to the next newline, which is stepped over; `Damaged` when there are more than `limit`."""
        pieces = b""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            pieces += self._buffer[self._at :]
            self._at = len(self._buffer)
            if len(pieces) > limit:
                raise Damaged(LONG_LINE)
            self._fill(1)
        pieces += self._buffer[self._at : end]
        if len(pieces) > limit:
            raise Damaged(LONG_LINE)
        self._at = end + 1
        return pieces

    def skip_strings(self, count: int, prefix: Struct) -> None:
        """Step over `count` strings, each behind its length in bytes as `prefix` has it.

        A vocabulary has a quarter of a million of them: the loop runs on local names only.
        """
        width = prefix.size
        unpack = prefix.unpack_from
        while count:
            if self._at + width > len(self._buffer):
                self._fill(width)
            buffer, at = self._buffer, self._at
            last = len(buffer) - width
            while count and at <= last:
                at += width + unpack(buffer, at)[0]
                count -= 1
            self._at = min(at, len(buffer))
            if at > len(buffer):
                self.skip(at - len(buffer))

    def _fill(self, length: int) -> None:
        start = self.offset
        if length > self._window.size - start:
            raise EndsEarly(CUT_SHORT)
        self._buffer = self._window.read(start, max(length, self._chunk))
        self._start, self._at = start, 0
        if len(self._buffer) < length:  # the file shrank under us
            raise EndsEarly(CUT_SHORT)
