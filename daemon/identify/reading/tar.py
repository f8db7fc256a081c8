"""The members of a tar archive, by hopping from header to header.

Source: POSIX.1-2008, `pax` (ustar and extended headers); the GNU tar manual for sizes in binary.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.sniffer import Window

BLOCK = 512
MEMBERS_LIMIT = 20_000
EXTENDED_LIMIT = 1 << 16
"""Bytes of an extended header, which holds a few lines."""
BAD_HEADER = "a header in the archive is damaged"
FILES = frozenset((b"0", b"\0"))
_SIZE = re.compile(rb"(?:^|\n)[0-9]{1,3} size=([0-9]{1,19})\n")


class Entry(NamedTuple):
    """One file: its name, and where its content lies in the window."""

    name: str
    offset: int
    size: int


def is_header(block: bytes) -> bool:
    """Whether a block is a header, by its own sum."""
    if len(block) < BLOCK:
        return False
    claimed = block[148:156].strip(b" \0")
    actual = sum(block[:148]) + 8 * ord(" ") + sum(block[156:BLOCK])
    return bool(re.fullmatch(rb"[0-7]{1,7}", claimed)) and int(claimed, 8) == actual


def may_begin(head: bytes) -> bool:
    """Whether the first bytes of a file can be those of a tar: a name, and nothing up to the end of its field."""
    name, _, rest = head.partition(b"\0")
    return len(name) > 0 and name.isascii() and name.decode("ascii").isprintable() and not rest.strip(b"\0")


def entries(window: Window) -> Iterator[Entry]:
    """The files in order, without a `./` in front; raises `Damaged` at what is no header, or at an early end."""
    cursor = Cursor(window, chunk=BLOCK)
    size_to_come: int | None = None
    for _ in range(MEMBERS_LIMIT):
        block = cursor.take(BLOCK)
        if not block.strip(b"\0"):
            return
        if not is_header(block):
            raise Damaged(BAD_HEADER)
        kind, size = block[156:157], _number(block[124:136])
        if kind == b"x":
            found = _SIZE.search(cursor.take(min(size, EXTENDED_LIMIT)))
            size_to_come = int(found[1]) if found is not None else None
            cursor.skip(max(0, size - EXTENDED_LIMIT) + -size % BLOCK)
            continue
        if kind in FILES:
            size = size if size_to_come is None else size_to_come
            name = block[:100].partition(b"\0")[0].decode("utf-8", "replace")
            yield Entry(name.removeprefix("./"), cursor.offset, size)
            size_to_come = None
        cursor.skip(size + -size % BLOCK)
    raise Damaged("the archive has more members than an inspection reads")


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]{0,12}", digits):
        raise Damaged(BAD_HEADER)
    return int(digits or b"0", 8)
