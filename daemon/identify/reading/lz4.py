"""LZ4 frames, unpacked from their beginning; for the small piece that is wanted, Python is fast enough.

Source: `lz4_Frame_format.md` and `lz4_Block_format.md` of the lz4 repository.
"""

MAGIC = b"\x04\x22\x4d\x18"
OUTPUT_LIMIT = 1 << 16
"""Bytes that are unpacked: a match never points farther back."""
BLOCK_MAX = 4 << 20


class Unpacker:
    """One frame, of which the first call gives everything: what lies behind the first piece is not unpacked."""

    __slots__ = ()

    def __call__(self, data: bytes, room: int) -> tuple[bytes, bytes, bool]:
        """As `unpack.Unpacker`; raises `ValueError` where the frame is none."""
        if len(data) < 7 or data[:4] != MAGIC or data[4] >> 6 != 1:
            raise ValueError
        flags = data[4]
        at = 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
        found = bytearray()
        room = min(room, OUTPUT_LIMIT)
        while len(found) < room:
            size = int.from_bytes(data[at : at + 4], "little")
            at += 4
            length = size & 0x7FFFFFFF
            if length == 0 or length > BLOCK_MAX:
                break
            block = data[at : at + length]
            if size >> 31:
                found += block[: room - len(found)]
            else:
                _unpack_block(block, found, room)
            at += length + (4 if flags & 0x10 else 0)
        return bytes(found[:room]), b"", True


def _unpack_block(block: bytes, found: bytearray, room: int) -> None:
    """Append what one block gives, until `found` has `room` bytes or the block ends, complete or not."""
    at = 0
    while at < len(block) and len(found) < room:
        token = block[at]
        length, at = _length(block, at + 1, token >> 4)
        found += block[at : at + length]
        at += length
        distance = int.from_bytes(block[at : at + 2], "little")
        if at + 2 > len(block):
            return
        length, at = _length(block, at + 2, token & 15)
        if not 0 < distance <= len(found):
            raise ValueError
        # A match may reach into what it writes itself: then it is a repetition.
        length = min(length + 4, room - len(found))
        piece = bytes(found[len(found) - distance :][:length])
        if piece:
            found += (piece * (-(-length // len(piece))))[:length]


def _length(block: bytes, at: int, nibble: int) -> tuple[int, int]:
    """A length with the bytes that go on with it, and where it ends."""
    length = nibble
    if nibble == 15:
        while at < len(block):
            length += block[at]
            at += 1
            if block[at - 1] != 255:
                break
    return length, at
