"""HDF5 that lies: cycles, counts of 2^60 and structures on top of each other end soon, in little memory."""

import io
import time
import tracemalloc
from struct import pack

import h5py
import numpy as np
import pytest
from tests.models import Memory

from modelwarden.daemon.identify.hdf5 import FORMAT
from modelwarden.daemon.identify.sniffer import Identity

SECONDS, BYTES = 2.0, 64 << 20
BASE = 96
"""Where the root's header is: behind the superblock."""
U64 = (1 << 64) - 1


def superblock(root: int = BASE) -> bytes:
    """A superblock of version 0."""
    head = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + pack("<HHI", 4, 16, 0)
    return (head + pack("<4Q", 0, U64, 0, U64) + pack("<QQII16x", 0, root, 0, 0)).ljust(BASE, b"\0")


def header(*messages: tuple[int, bytes], size: int | None = None) -> bytes:
    """An object header of version 1."""
    body = b"".join(pack("<HHB3x", kind, len(data), 0) + data for kind, data in messages)
    return pack("<BxHII4x", 1, len(messages), 1, len(body) if size is None else size) + body


def group(tree: int, heap: int) -> tuple[int, bytes]:
    """The message of a symbol table."""
    return 0x11, pack("<QQ", tree, heap)


def heap(at: int, names: bytes) -> bytes:
    """A local heap that lies at `at`, with its names behind it."""
    return b"HEAP" + bytes(4) + pack("<3Q", len(names), U64, at + 32) + names


def tree(children: list[int], level: int = 1) -> bytes:
    """A node of a B-tree."""
    body = b"".join(pack("<QQ", 0, child) for child in children)
    return b"TREE" + pack("<BBHQQ", 0, level, len(children), U64, U64) + body + bytes(8)


def symbols(targets: list[int], name: int = 0) -> bytes:
    """A node of symbols."""
    return b"SNOD" + pack("<BxH", 1, len(targets)) + b"".join(pack("<QQ24x", name, one) for one in targets)


def bounded(data: bytes) -> Identity:
    """The identity, in the time and memory that an inspection has."""
    window = Memory(data)
    begin = time.perf_counter()
    assert FORMAT.identify(window) is not None
    assert time.perf_counter() - begin < SECONDS
    window = Memory(data)
    tracemalloc.start()
    try:
        identity = FORMAT.identify(window)
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()
    assert identity is not None
    return identity


def rooted(*rest: bytes) -> bytes:
    """A file whose root has its tree at 1024 and its heap at 512; `rest` stands from 1024 on."""
    root = superblock() + header(group(1024, 512))
    return (root.ljust(512, b"\0") + heap(512, b"name\0" + bytes(200))).ljust(1024, b"\0") + b"".join(rest)


def test_the_builder_builds() -> None:
    """What these pieces make is a file: the tests below fail for their lies alone."""
    space = (1, pack("<BBxx4xQ", 1, 1, 7))
    kind = (3, b"\x11\x20\x1f\x00" + pack("<I", 4) + bytes(12))
    data = rooted(tree([2048], 0)).ljust(2048, b"\0") + symbols([4096])
    identity = bounded(data.ljust(4096, b"\0") + header(space, kind))
    assert (identity.parameters, identity.problem, identity.quantization) == (7, None, "F32")


@pytest.mark.parametrize(
    "data",
    [
        rooted(tree([1024])),
        rooted(tree([1024, 1024, 1024])),
        rooted(tree([U64])),
        rooted(tree([1 << 60])),
        rooted(b"TREE" + pack("<BBHQQ", 0, 1, 65_535, U64, U64)),
        rooted(tree([1400], 0)).ljust(1400, b"\0") + b"SNOD" + pack("<BxH", 1, 65_535),
        rooted(tree([1400], 0)).ljust(1400, b"\0") + symbols([1 << 60]),
        superblock(U64),
        superblock(1 << 60),
        superblock() + header(size=0xFFFFFFFF),
        superblock() + header((0x10, pack("<QQ", BASE, 1 << 60))),
        superblock() + header((0x10, pack("<QQ", BASE + 16, 24))),
        superblock() + header(group(U64, U64)),
        superblock() + header((0x0C, pack("<BxHHH", 1, 65_535, 65_535, 65_535) + b"\0")),
        superblock() + header((1, pack("<BBxx4xQQ", 1, 2, 1 << 60, 9)), (3, bytes([16, 8, 0, 0, 4, 0, 0, 0]))),
        superblock() + header((2, b"")),
        superblock() + header((6, b"\x01\x03" + b"\xff" * 8)),
        superblock() + b"OHDR\2\x23" + b"\xff" * 40,
    ],
)
def test_a_lie_is_a_problem(data: bytes) -> None:
    """Cycles and counts beyond the file are given up."""
    identity = bounded(data)
    assert identity.problem is not None or identity.parameters is None


def test_wide_trees_of_one_node_are_given_up() -> None:
    """Nodes that lie on top of each other have sixty thousand children each."""
    children = list(range(4096, 4096 + 65_535))
    assert bounded(rooted(tree(children)) + b"TREE" * 500_000).problem is not None


def test_pieces_on_top_of_each_other_are_given_up() -> None:
    """A header of two thousand pieces, each of them the same megabyte."""
    pieces = [(0x10, pack("<QQ", 65_536 + 8 * number, 1 << 20)) for number in range(2000)]
    assert bounded((superblock() + header(*pieces)).ljust(3 << 20, b"\0")).problem is not None


def test_many_objects_are_given_up() -> None:
    """A hundred thousand objects, all of the same bytes."""
    targets = [200_000 + number for number in range(65_000)]
    data = (rooted(tree([2048], 0)).ljust(2048, b"\0") + symbols(targets)).ljust(3 << 20, b"\1")
    assert bounded(data).problem is not None


def test_many_names_are_not_kept() -> None:
    """Sixty thousand names of a kilobyte each, which lie on top of each other."""
    entries = b"".join(pack("<QQ24x", number, 4 << 20) for number in range(65_535))
    data = (superblock() + header(group(1024, 512))).ljust(512, b"\0")
    data += b"HEAP" + bytes(4) + pack("<3Q", 1 << 20, U64, 4 << 20)
    data = data.ljust(1024, b"\0") + tree([2048], 0)
    data = data.ljust(2048, b"\0") + b"SNOD" + pack("<BxH", 1, 65_535) + entries
    assert bounded(data.ljust(4 << 20, b"\0") + b"n" * (2 << 20)).problem is not None


def test_a_long_configuration_is_not_kept() -> None:
    """Ten thousand attributes of one name lead to a heap of megabytes."""
    kind = b"\x19\x01\0\0" + pack("<I", 16) + bytes(8)
    value = pack("<IQI", 1 << 20, 4 << 20, 1)
    attribute = pack("<BxHHH", 3, 12, len(kind), 4) + b"\0" + b"model_config" + kind + b"\2\0\0\0" + value
    data = (superblock() + header(*[(0x0C, attribute)] * 10_000)).ljust(4 << 20, b"\0")
    data += b"GCOL" + bytes(4) + pack("<QHHIQ", 1 << 21, 1, 1, 0, 1 << 20) + b'{"a":[' + b"[]," * 600_000
    identity = bounded(data)
    assert identity.format == "keras-h5"


def test_a_claim_without_data_is_no_count() -> None:
    """A dataset of 2^60 numbers, of which none was ever written."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("w", shape=(1 << 40, 1 << 20), dtype=np.float32, chunks=(1, 1))
    identity = bounded(stream.getvalue())
    assert identity.parameters is None
    assert "more parameters" in (identity.problem or "")
