"""The sorted tables of strings in which TensorFlow keeps the list of a checkpoint's tensors.

Source: `doc/table_format.md` of LevelDB; `tensorflow/core/lib/io/table*` (the same format, always uncompressed for
checkpoints).
"""

from collections.abc import Iterator

from modelwarden.daemon.identify.reading.damage import Damaged

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48
ENTRIES_LIMIT = 100_000
"""Keys and blocks together."""
KEY_LIMIT = 4096
NO_TABLE = "its list of tensors is damaged"
TOO_MANY = "it has more tensors than an inspection reads"


def entries(table: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each key with the place of its value in the table; raises `Damaged` for what is none."""
    if len(table) < FOOTER or not table.endswith(MAGIC):
        raise Damaged(NO_TABLE)
    left = ENTRIES_LIMIT
    _offset, _size, at = _handle(table, len(table) - FOOTER)
    offset, size, _ = _handle(table, at)
    for _key, start, _end in _block(table, offset, size):
        left -= 1
        offset, size, _ = _handle(table, start)
        for entry in _block(table, offset, size):
            left -= 1
            if left < 0:
                raise Damaged(TOO_MANY)
            yield entry
        if left < 0:
            raise Damaged(TOO_MANY)


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    end = offset + size
    # Behind a block there are its compression and a checksum; at its end, places to start from and their number.
    if size < 4 or end >= len(table) or table[end]:
        raise Damaged(NO_TABLE)
    end -= 4 * (1 + int.from_bytes(table[end - 4 : end], "little"))
    key = b""
    at = offset
    while at < end:
        shared, at = _number(table, at)
        own, at = _number(table, at)
        length, at = _number(table, at)
        if shared > len(key) or shared + own > KEY_LIMIT or at + own + length > end:
            raise Damaged(NO_TABLE)
        key = key[:shared] + table[at : at + own]
        at += own
        yield key, at, at + length
        at += length


def _handle(table: bytes, at: int) -> tuple[int, int, int]:
    """Offset and size of a block, and the place behind what says so."""
    offset, at = _number(table, at)
    size, at = _number(table, at)
    return offset, size, at


def _number(table: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 63, 7):
        byte = table[at] if at < len(table) else 0
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise Damaged(NO_TABLE)
