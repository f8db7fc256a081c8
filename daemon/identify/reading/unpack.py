"""The beginning of a compressed file, unpacked in memory up to a limit.

Source of the magic numbers: RFC 1950 (zlib), RFC 1952 (gzip), `lzma.h` and `xz-file-format.txt`, the head of bzip2's
`compress.c`, `lz4_Frame_format.md`. They are those of joblib's `compressor.py`.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from modelwarden.daemon.identify.reading import lz4
from modelwarden.daemon.identify.sniffer import Window

PACKED_LIMIT = 4 << 20
"""Bytes that are read for it: a stream may go on for long without giving anything."""
CHUNK = 1 << 16
LZMA_MEMORY = 40 << 20
"""Bytes that a dictionary may take; up to level 8 of xz it is enough."""


class Unpacker(Protocol):
    """What zlib, bz2 and lzma have in common once their differences are wrapped."""

    def __call__(self, data: bytes, room: int) -> tuple[bytes, bytes, bool]:
        """Up to `room` bytes out of `data`: those, what of `data` is left for the next call, whether it is the end."""
        ...


def is_packed(head: bytes) -> bool:
    """Whether a file begins like one of the compressed formats."""
    return _unpacker_type(head) is not None


def unpack(window: Window, limit: int) -> bytes:
    """The first `limit` bytes of what is in it, fewer where it is shorter or damaged."""
    make = _unpacker_type(window.read(0, 16))
    if make is None:
        return b""
    found, packed, at = bytearray(), b"", 0
    try:
        unpacker = make()
        while len(found) < limit:
            if not packed and at < PACKED_LIMIT:
                packed = window.read(at, CHUNK)
                at += len(packed)
                ended = not packed
            elif not packed:
                break
            piece, packed, is_end = unpacker(packed, limit - len(found))
            found += piece
            if is_end or (ended and not piece):
                break
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        pass
    return bytes(found)


def _unpacker_type(head: bytes) -> Callable[[], Unpacker] | None:
    if head[:3] == b"\x1f\x8b\x08":
        return lambda: _Zlib(31)
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0 and not head[1] & 0x20:
        return lambda: _Zlib(15)
    if head[:3] == b"BZh" and head[3:4].isdigit() and head[4:10] == b"\x31\x41\x59\x26\x53\x59":
        return lambda: _Sized(bz2.BZ2Decompressor())
    if head[:6] == b"\xfd7zXZ\0" or head[:3] == b"\x5d\0\0":
        return lambda: _Sized(lzma.LZMADecompressor(memlimit=LZMA_MEMORY))
    if head[:4] == lz4.MAGIC:
        return lz4.Unpacker
    return None


class _Zlib:
    """Streams of zlib and gzip."""

    __slots__ = ("_stream",)

    def __init__(self, bits: int) -> None:
        self._stream = zlib.decompressobj(bits)

    def __call__(self, data: bytes, room: int) -> tuple[bytes, bytes, bool]:
        found = self._stream.decompress(data, room)
        return found, self._stream.unconsumed_tail, self._stream.eof


class _Sized:
    """Streams of bzip2 and xz, whose objects keep themselves what they have no room for."""

    __slots__ = ("_stream",)

    def __init__(self, stream: "bz2.BZ2Decompressor | lzma.LZMADecompressor") -> None:
        self._stream = stream

    def __call__(self, data: bytes, room: int) -> tuple[bytes, bytes, bool]:
        found = self._stream.decompress(data, room)
        while len(found) < room and not self._stream.needs_input and not self._stream.eof:
            found += self._stream.decompress(b"", room - len(found))
        return found, b"", self._stream.eof
