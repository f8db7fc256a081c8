"""The table of contents of a zip archive, read from its end as loaders do.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to
4.3.16 (end records). Python's zipfile reads the whole table into memory at once, whatever its size.
"""

import zlib
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.sniffer import Window

END = Struct("<4s4H2LH")
END64 = Struct("<4sQ2H2L4Q")
LOCATOR64 = Struct("<4sLQL")
ENTRY = Struct("<4s6H3L5H2L")
LOCAL = Struct("<4s5H3L2H")
COMMENT_MAX = 65_535
ENTRY_MAX = ENTRY.size + 3 * COMMENT_MAX
CHUNK = 1 << 20
EXTRAS_LIMIT = 32
MEMBERS_LIMIT = 100_000
NO_END = "the archive is cut short: it has no table of contents"
BAD_TABLE = "the archive's table of contents is damaged"


class Member(NamedTuple):
    """One file in an archive: sizes in bytes, `offset` of its local header in the window."""

    name: str
    method: int
    packed: int
    size: int
    offset: int
    encrypted: bool


def members(window: Window) -> Iterator[Member]:
    """The members in the order of the table; raises `Damaged` where the table does."""
    at, left, shift = _table(window)
    buffer, here = b"", 0
    for _ in range(MEMBERS_LIMIT):
        if left < ENTRY.size:
            return
        if len(buffer) - here < min(left, ENTRY_MAX):
            buffer, here = window.read(at, min(left, CHUNK)), 0
        if len(buffer) - here < ENTRY.size:
            raise Damaged(BAD_TABLE)
        fields = ENTRY.unpack_from(buffer, here)
        if fields[0] != b"PK\1\2":
            raise Damaged(BAD_TABLE)
        name_at = here + ENTRY.size
        extra_at = name_at + fields[10]
        name = buffer[name_at:extra_at].decode("utf-8", "replace")
        extra = buffer[extra_at : extra_at + fields[11]]
        packed, size, offset = _wide(fields[8], fields[9], fields[16], extra)
        yield Member(name, fields[4], packed, size, offset + shift, bool(fields[3] & 1))
        length = ENTRY.size + fields[10] + fields[11] + fields[12]
        here += length
        at += length
        left -= length
    raise Damaged("the archive has more members than an inspection reads")


def read_member(window: Window, member: Member, limit: int) -> bytes:
    """A member's content, unpacked in memory; raises `Damaged` when it is longer than `limit` bytes."""
    if member.size > limit or member.packed > limit:
        raise Damaged(f"{member.name} is larger than an inspection reads")
    packed = window.read(content_offset(window, member), member.packed)
    if len(packed) < member.packed:
        raise Damaged(f"{member.name} is cut short")
    data = _unpack(packed, member, limit + 1)
    if len(data) > limit:
        raise Damaged(f"{member.name} is larger than an inspection reads")
    return data


def begin_member(window: Window, member: Member, limit: int) -> bytes:
    """The first `limit` bytes of a member's content, fewer when it is shorter."""
    packed = window.read(content_offset(window, member), min(member.packed, limit))
    return _unpack(packed, member, limit)


def content_offset(window: Window, member: Member) -> int:
    """Where a member's content begins, behind its local header; raises `Damaged` for one that cannot be read."""
    if member.encrypted:
        raise Damaged(f"{member.name} is encrypted")
    local = window.read(member.offset, LOCAL.size)
    if len(local) < LOCAL.size or local[:4] != b"PK\3\4":
        raise Damaged(BAD_TABLE)
    fields = LOCAL.unpack(local)
    return member.offset + LOCAL.size + int(fields[9]) + int(fields[10])


def _unpack(packed: bytes, member: Member, limit: int) -> bytes:
    if member.method == 0:
        return packed
    if member.method != 8:
        raise Damaged(f"{member.name} is compressed in an unknown way")
    try:
        return zlib.decompressobj(-15).decompress(packed, limit)
    except zlib.error:
        raise Damaged(f"{member.name} is damaged") from None


def _table(window: Window) -> tuple[int, int, int]:
    """Where the table starts, its length, and what to add to its offsets when something stands before the zip."""
    tail_length = min(window.size, END.size)
    tail = window.read(window.size - tail_length, tail_length)
    if tail[:4] != b"PK\5\6":
        tail_length = min(window.size, END.size + COMMENT_MAX)
        tail = window.read(window.size - tail_length, tail_length)
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < END.size:
        raise Damaged(NO_END)
    end_at = window.size - tail_length + found
    fields = END.unpack_from(tail, found)
    length, offset = fields[5], fields[6]
    locator_at = end_at - LOCATOR64.size
    if locator_at >= END64.size and window.read(locator_at, 4) == b"PK\6\7":
        # Torch writes the zip64 records always; the one of interest is in front of its locator,
        # wherever the locator says that it is.
        end_at = locator_at - END64.size
        record = END64.unpack(window.read(end_at, END64.size))
        if record[0] != b"PK\6\6":
            raise Damaged(BAD_TABLE)
        length, offset = record[8], record[9]
    start = end_at - length
    if start < 0:
        raise Damaged(BAD_TABLE)
    return start, length, start - offset


def _wide(packed: int, size: int, offset: int, extra: bytes) -> tuple[int, int, int]:
    """The sizes with those that did not fit 32 bits taken from the zip64 field (tag 1) of `extra`."""
    at = 0
    for _ in range(EXTRAS_LIMIT):
        if at + 4 > len(extra):
            break
        tag = int.from_bytes(extra[at : at + 2], "little")
        length = int.from_bytes(extra[at + 2 : at + 4], "little")
        if tag == 1:
            values = (int.from_bytes(extra[i : i + 8], "little") for i in range(at + 4, at + 4 + length - 7, 8))
            size = next(values, size) if size == 0xFFFFFFFF else size
            packed = next(values, packed) if packed == 0xFFFFFFFF else packed
            offset = next(values, offset) if offset == 0xFFFFFFFF else offset
            break
        at += 4 + length
    return packed, size, offset
