"""Compressed files are unpacked from their beginning, up to a limit, whatever they claim."""

import bz2
import gzip
import lzma
import zlib
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, mutations

from modelwarden.daemon.identify.reading.unpack import is_packed, unpack

TEXT = b"".join(b"line %d of the text\n" % number for number in range(20_000))


def lz4_frame(*blocks: bytes, flags: int = 0x60) -> bytes:
    """A frame of blocks, of which those with the top bit in their length are not packed."""
    return b"\x04\x22\x4d\x18" + bytes([flags, 0x40, 0]) + b"".join(blocks) + bytes(4)


def block(data: bytes, *, plain: bool = False) -> bytes:
    """One block behind its length."""
    return pack("<I", len(data) | (0x80000000 if plain else 0)) + data


PACKED = {
    "zlib": zlib.compress(TEXT),
    "zlib, hard": zlib.compress(TEXT, 9),
    "gzip": gzip.compress(TEXT),
    "bz2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "lzma": lzma.compress(TEXT, lzma.FORMAT_ALONE),
    "lz4, plain": lz4_frame(block(TEXT, plain=True)),
}


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("limit", [1, 512, 60_000])
def test_gives_the_beginning(data: bytes, limit: int) -> None:
    """As many bytes as are asked for, the right ones."""
    assert is_packed(data)
    assert unpack(Memory(data), limit) == TEXT[:limit]


@pytest.mark.parametrize("name", [name for name in PACKED if name != "lz4, plain"])
def test_gives_all_of_a_small_file(name: str) -> None:
    """A stream that ends before the limit is given whole, over many reads."""
    assert unpack(Memory(PACKED[name]), 1 << 20) == TEXT


def test_unpacks_what_lz4_repeats() -> None:
    """Literals, a match that reaches back, and one that reaches into itself, over blocks that depend on each other."""
    first = block(b"\x40abcd\x04\x00" + b"\x10x\x01\x00")
    second = block(b"\x00\x0d\x00" + b"\xf0\x05" + b"y" * 20)
    assert unpack(Memory(lz4_frame(first, second)), 1000) == b"abcdabcdxxxxxabcd" + b"y" * 20


def test_steps_over_what_a_frame_of_lz4_may_have() -> None:
    """The size of the content in front, a sum behind each block."""
    data = b"\x04\x22\x4d\x18\x78\x40" + pack("<Q", 6) + b"\0" + block(b"abc", plain=True) + b"sum!"
    assert unpack(Memory(data + block(b"def", plain=True) + b"sum!" + bytes(4)), 100) == b"abcdef"


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_gives_what_is_there(data: bytes) -> None:
    """Of a download that stopped, what came."""
    found = unpack(Memory(data[: len(data) // 2]), 1 << 20)
    assert TEXT.startswith(found)


@pytest.mark.parametrize("data", [b"", b"\x78", b"\x78\x9d", b"BZhat", b"BZ", b"\x1f\x8b\x09", b"PK\3\4", b"\x04\x22"])
def test_knows_other_files(data: bytes) -> None:
    """What begins otherwise is not packed, and nothing comes out of it."""
    assert not is_packed(data)
    assert unpack(Memory(data), 100) == b""


BOMBS = {
    "zlib": zlib.compress(bytes(300 << 20)),
    "xz": lzma.compress(bytes(100 << 20), preset=1),
    "bz2": bz2.compress(bytes(100 << 20)),
    "empty blocks": b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 4_000_000,
    "a dictionary of 4 GiB": b"\x5d\0\0" + pack("<IQ", 0xFFFFFFFF, 1 << 40) + bytes(1 << 20),
    "lz4 repeats": lz4_frame(block(b"\x1fN\1\0" + b"\xff" * (1 << 20))),
    "lz4 repeats nothing": lz4_frame(block(b"\x00\x01\x00" * (1 << 20))),
    "lz4 one by one": lz4_frame(block(b"\x10a\x01\x00" * (1 << 20))),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_bombs_are_small(data: bytes) -> None:
    """Whatever would come out, no more than the limit does, in time."""
    assert len(within_limits(lambda: unpack(Memory(data), 8 << 20))) <= 8 << 20


@settings(max_examples=200, deadline=3000)
@given(data=st.data(), name=st.sampled_from(sorted(PACKED)))
def test_survives_mutations(data: st.DataObject, name: str) -> None:
    """Whatever is damaged, nothing is raised."""
    assert len(unpack(Memory(data.draw(mutations(PACKED[name]))), 5000)) <= 5000
