"""A bounded view of a FlatBuffer: tables, vectors and strings at the places that the file names, each one checked.

Source: "FlatBuffer internals" in the documentation of FlatBuffers. All offsets are hostile: one may lead anywhere,
to the same table again and again. What bounds a walk is the number of values that are read in all.
"""

from collections.abc import Iterator
from struct import Struct, unpack

from modelwarden.daemon.identify.reading.damage import CUT_SHORT, Damaged
from modelwarden.daemon.identify.reading.source import Source

VALUES_LIMIT = 300_000
"""Values in all of one file: a tensor takes about twenty, a large real model has some thousand tensors."""
PAGE_BITS = 12
PAGE = 1 << PAGE_BITS
PAGES_LIMIT = 256
LAYOUTS_LIMIT = 256
FIELDS_LIMIT = 256
"""Fields of one table: the largest of the schemas that are read here have forty."""
U8, U16, U32, U64 = Struct("<B"), Struct("<H"), Struct("<I"), Struct("<Q")
I32, I64 = Struct("<i"), Struct("<q")
NO_TABLE = "its tables lead nowhere"


class FlatBuffer:
    """The values of one file, or of the buffer that begins at `base` in it."""

    __slots__ = ("_base", "_layouts", "_left", "_pages", "_source", "size")

    def __init__(self, source: Source, limit: int = VALUES_LIMIT, base: int = 0) -> None:
        self._source = source
        self._left = limit
        self._base = base
        self._pages: dict[int, bytes] = {}
        self._layouts: dict[int, tuple[int, ...]] = {}
        self.size = source.size - base

    def root(self) -> "Table":
        """The first table; raises `Damaged` when there is none."""
        return Table(self, self.number(U32, 0))

    def number(self, layout: Struct, at: int) -> int:
        """The integer at an offset, as the one-field `layout` has it; raises `Damaged` beyond the file."""
        self._left -= 1
        if self._left < 0:
            raise Damaged("it has more values than an inspection reads")
        at += self._base
        offset = at & PAGE - 1
        page = self._page(at >> PAGE_BITS)
        if offset + layout.size > len(page):
            page, offset = self._source.read(at, layout.size), 0
            if len(page) < layout.size:
                raise Damaged(CUT_SHORT)
        return int(layout.unpack_from(page, offset)[0])

    def data(self, at: int, length: int) -> bytes:
        """Up to `length` bytes at an offset."""
        return self._source.read(self._base + at, length)

    def layout(self, at: int) -> tuple[int, ...]:
        """Where the tables that share a list of fields have each, by its place; 0 where they do not have it."""
        found = self._layouts.get(at)
        if found is None:
            count = self.number(U16, at) // 2 - 2
            if not 0 <= count <= FIELDS_LIMIT:
                raise Damaged(NO_TABLE)
            data = self.data(at + 4, 2 * count)
            if len(data) < 2 * count:
                raise Damaged(CUT_SHORT)
            if len(self._layouts) >= LAYOUTS_LIMIT:
                self._layouts.clear()
            found = self._layouts[at] = unpack(f"<{count}H", data)
        return found

    def _page(self, number: int) -> bytes:
        found = self._pages.get(number)
        if found is None:
            if len(self._pages) >= PAGES_LIMIT:
                self._pages.clear()
            found = self._pages[number] = self._source.read(number << PAGE_BITS, PAGE)
        return found


class Table:
    """A table: its fields are named by their place in the schema, from 0."""

    __slots__ = ("_at", "_buffer", "_layout")

    def __init__(self, buffer: FlatBuffer, at: int) -> None:
        self._buffer = buffer
        self._at = at
        layout = at - buffer.number(I32, at)
        if layout <= 0:
            raise Damaged(NO_TABLE)
        self._layout = buffer.layout(layout)

    def field(self, place: int) -> int | None:
        """The offset of a field, `None` where it has its default."""
        layout = self._layout
        return self._at + layout[place] if place < len(layout) and layout[place] else None

    def number(self, place: int, layout: Struct, default: int = 0) -> int:
        """A field of this layout."""
        at = self.field(place)
        return default if at is None else self._buffer.number(layout, at)

    def table(self, place: int) -> "Table | None":
        """The table that a field refers to."""
        at = self._target(place)
        return None if at is None else Table(self._buffer, at)

    def vector(self, place: int, width: int) -> tuple[int, int]:
        """Offset and length of a vector whose elements take `width` bytes; raises `Damaged` beyond the file."""
        at = self._target(place)
        if at is None:
            return 0, 0
        count = self._buffer.number(U32, at)
        if count * width > self._buffer.size - at - 4:
            raise Damaged(CUT_SHORT)
        return at + 4, count

    def text(self, place: int, limit: int) -> bytes:
        """The first `limit` bytes of a string."""
        at, count = self.vector(place, 1)
        return self._buffer.data(at, min(count, limit))

    def tables(self, place: int) -> Iterator["Table"]:
        """The tables of a vector."""
        at, count = self.vector(place, 4)
        for entry in range(at, at + 4 * count, 4):
            yield Table(self._buffer, entry + self._buffer.number(U32, entry))

    def table_at(self, place: int, index: int) -> "Table | None":
        """One table of a vector, `None` beyond its end."""
        at, count = self.vector(place, 4)
        if not 0 <= index < count:
            return None
        at += 4 * index
        return Table(self._buffer, at + self._buffer.number(U32, at))

    def numbers(self, place: int, layout: Struct, limit: int) -> list[int]:
        """The integers of a vector; raises `Damaged` when there are more than `limit`."""
        at, count = self.vector(place, layout.size)
        if count > limit:
            raise Damaged("a list in it is longer than any model's")
        return [self._buffer.number(layout, at + layout.size * index) for index in range(count)]

    def _target(self, place: int) -> int | None:
        at = self.field(place)
        return None if at is None else at + self._buffer.number(U32, at)
