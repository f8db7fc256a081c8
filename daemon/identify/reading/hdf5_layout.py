"""The skeleton of an HDF5 file: its superblock, and the messages of its object headers.

Source: HDF5 File Format Specification 3.0, II.A (superblock), IV.A.1 (object headers); the places at which the library
looks for a superblock are those of `H5FD_locate_signature`.
"""

from struct import Struct
from typing import NamedTuple

from modelwarden.daemon.identify.reading.damage import CUT_SHORT, Damaged
from modelwarden.daemon.identify.sniffer import Window

SIGNATURE = b"\x89HDF\r\n\x1a\n"
USER_BLOCK_MIN = 512
PAGE = 4096
PAGES_LIMIT = 256
"""Pages that are kept: the structures of a group lie close to each other, between the data of others."""
STEPS_LIMIT = 150_000
"""Messages, links and nodes in all: a model of a thousand layers has some 60,000."""
OBJECT_LIMIT = 2 << 20
"""Bytes of one object's header with all its pieces: an attribute has at most 64 KiB."""
PIECES_LIMIT = 200
NIL, DATASPACE, LINK_INFO, DATATYPE, LINK, LAYOUT, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE = (
    0x00, 0x01, 0x02, 0x03, 0x06, 0x08, 0x0C, 0x10, 0x11,
)  # fmt: skip
SHARED = 2
"""The flag of a message that lies elsewhere."""
_MESSAGE_1 = Struct("<HHB3x")
_MESSAGE_2 = Struct("<BHB")
_MESSAGE_2_ORDERED = Struct("<BHB2x")
BAD_HEADER = "an object header of it is damaged"
TOO_MUCH = "it has more objects than an inspection reads"


class Message(NamedTuple):
    """One fact about an object."""

    kind: int
    flags: int
    data: bytes


class Layout:
    """An HDF5 file as numbered places; raises `Damaged` where it is none, and when a walk takes too many steps."""

    __slots__ = ("_base", "_pages", "_steps", "_window", "end", "lengths", "offsets", "root")

    def __init__(self, window: Window) -> None:
        self._window = window
        self._pages: dict[int, bytes] = {}
        self._steps = STEPS_LIMIT
        self._base = find_superblock(window)
        head = window.read(self._base, 128)
        version = head[8] if len(head) == 128 else -1
        if version in {0, 1}:
            self.offsets, self.lengths, at = head[13], head[14], 24 + 4 * version
        elif version in {2, 3}:
            self.offsets, self.lengths, at = head[9], head[10], 12
        else:
            raise Damaged("its superblock is damaged")
        if self.offsets not in {2, 4, 8} or self.lengths not in {2, 4, 8}:
            raise Damaged("its superblock is damaged")
        # Base, a place of no interest, the end; then (before the root) the driver's place and the name of the root.
        self.end = self.offset(head, at + 2 * self.offsets) or 0
        """Where the file should end: the library counts this one address from the start of the file."""
        self.root = self.offset(head, at + (5 if version < 2 else 3) * self.offsets)
        """The address of the root group's header."""

    def read(self, address: int, length: int) -> bytes:
        """All `length` bytes at an address, which counts from the superblock."""
        start = self._base + address
        number, inside = divmod(start, PAGE)
        if inside + length <= PAGE:
            data = self._page(number)[inside : inside + length]
        else:
            data = self._window.read(start, length)
        if len(data) < length:
            raise Damaged(CUT_SHORT)
        return data

    def _page(self, number: int) -> bytes:
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) >= PAGES_LIMIT:
                self._pages.clear()
            page = self._pages[number] = self._window.read(number * PAGE, PAGE)
        return page

    def offset(self, data: bytes, at: int) -> int | None:
        """The address that stands in `data`, `None` for the undefined one."""
        piece = data[at : at + self.offsets]
        if len(piece) < self.offsets:
            raise Damaged(BAD_HEADER)
        return None if piece == b"\xff" * self.offsets else int.from_bytes(piece, "little")

    def length(self, data: bytes, at: int) -> int:
        """The length that stands in `data`."""
        return int.from_bytes(data[at : at + self.lengths], "little")

    def step(self, count: int = 1) -> None:
        """Count work that the file asks for."""
        self._steps -= count
        if self._steps < 0:
            raise Damaged(TOO_MUCH)

    def messages(self, address: int) -> list[Message]:
        """What the header at `address` says of its object."""
        layout, start, length, frame = self._first_piece(address)
        pieces, found, left = [(start, length)], [], OBJECT_LIMIT
        for start, length in pieces:
            left -= length
            if left < 0 or len(pieces) > PIECES_LIMIT:
                raise Damaged(TOO_MUCH)
            for message in self._piece(self.read(start, length), layout):
                if message.kind == CONTINUATION:
                    place, size = self.offset(message.data, 0), self.length(message.data, self.offsets)
                    if place is None or size < 2 * frame:
                        raise Damaged(BAD_HEADER)
                    pieces.append((place + frame, size - 2 * frame))
                elif message.kind != NIL:
                    found.append(message)
        return found

    def _first_piece(self, address: int) -> tuple[Struct, int, int, int]:
        """The layout of messages, the place and length of the first ones, and what frames each further piece."""
        self.step()
        head = self.read(address, 16)
        if head[:4] != b"OHDR":
            if head[0] != 1:
                raise Damaged(BAD_HEADER)
            return _MESSAGE_1, address + 16, int.from_bytes(head[8:12], "little"), 0
        flags = head[5]
        at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = int.from_bytes(self.read(address + at, width), "little")
        layout = _MESSAGE_2_ORDERED if flags & 0x04 else _MESSAGE_2
        return layout, address + at + width, length, 4

    def _piece(self, data: bytes, layout: Struct) -> list[Message]:
        found, at = [], 0
        while at + layout.size <= len(data):
            self.step()
            kind, size, flags = layout.unpack_from(data, at)
            at += layout.size
            if at + size > len(data):
                raise Damaged(BAD_HEADER)
            found.append(Message(kind, flags, data[at : at + size]))
            at += size
        return found


def find_superblock(window: Window) -> int:
    """Where the superblock is: at the start, or behind a block of the user's: 512 bytes, 1024 and so on."""
    at = 0
    while at < window.size:
        if window.read(at, len(SIGNATURE)) == SIGNATURE:
            return at
        at = max(USER_BLOCK_MIN, at * 2)
    raise Damaged("it has no superblock")
