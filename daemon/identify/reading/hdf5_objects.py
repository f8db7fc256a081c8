"""The objects of an HDF5 file: attributes of text, links of groups, types and sizes of datasets.

Source: HDF5 File Format Specification 3.0, III (B-trees, symbol tables, heaps), IV.A.2 (messages).
"""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.hdf5_layout import (
    ATTRIBUTE,
    BAD_HEADER,
    DATASPACE,
    DATATYPE,
    LAYOUT,
    LINK,
    LINK_INFO,
    SHARED,
    SYMBOL_TABLE,
    Layout,
    Message,
)

NAME_LIMIT = 256
NAMES_LIMIT = 1 << 20
"""Bytes of all names in one group."""
TEXT_LIMIT = 1 << 20
"""Bytes of one attribute: the configuration of the largest models of Keras has half as many."""
COLLECTION_LIMIT = 4 << 20
DIMENSIONS_MAX = 32
"""As the library has it (`H5S_MAX_RANK`)."""
CONTIGUOUS = b"\1"
DENSE = "a group of it is indexed in a way that an inspection does not read"


class Dataset(NamedTuple):
    """An array of numbers: its type as the census has it, and how many there are."""

    type: str
    weights: int
    stored: int
    """Bytes that it must have in the file; 0 where it is in pieces, which may be compressed."""


def texts(file: Layout, messages: list[Message], wanted: frozenset[str]) -> dict[str, bytes | None]:
    """Those of an object's attributes that are wanted and there, with the content of those that are one text."""
    found: dict[str, bytes | None] = {}
    for message in messages:
        if message.kind == ATTRIBUTE and not message.flags & SHARED:
            name, kind, value = _attribute(message.data)
            if name in wanted and name not in found:
                try:
                    found[name] = _text(file, kind, value)
                except Damaged:  # that there is such an attribute tells already
                    found[name] = None
    return found


def links(file: Layout, messages: list[Message], *, named: bool = True) -> Iterator[tuple[str, int]]:
    """The names in a group with the addresses of their objects; the names are empty where they are not asked for."""
    for message in messages:
        if message.kind == SYMBOL_TABLE:
            tree, heap = file.offset(message.data, 0), file.offset(message.data, file.offsets)
            names = _names(file, heap) if named and heap is not None else b""
            for at, address in _symbols(file, tree):
                yield names[at : at + NAME_LIMIT].partition(b"\0")[0].decode("utf-8", "replace"), address
        elif message.kind == LINK:
            link = _link(file, message.data)
            if link is not None:
                yield link
        elif message.kind == LINK_INFO and _is_dense(file, message.data):
            raise Damaged(DENSE)


def dataset(file: Layout, messages: list[Message]) -> Dataset | None:
    """The numbers that an object holds, `None` for a group or for anything that is not numbers."""
    found = {message.kind: message for message in messages}
    space, kind, layout = found.get(DATASPACE), found.get(DATATYPE), found.get(LAYOUT)
    if space is None or kind is None:
        return None
    name = _type(kind)
    if name is None:
        return None
    weights = _weights(file, space.data)
    size = 0 if kind.flags & SHARED else int.from_bytes(kind.data[4:8], "little")
    is_plain = layout is not None and _is_plain(file, layout.data)
    return Dataset(name, weights, weights * size if is_plain else 0)


def _is_plain(file: Layout, layout: bytes) -> bool:
    """Whether the numbers lie in one place as they are; a dataset that nobody filled has no place."""
    return layout[:1] in {b"\3", b"\4"} and layout[1:2] == CONTIGUOUS and file.offset(layout, 2) is not None


def _attribute(data: bytes) -> tuple[str, bytes, bytes]:
    """The name, the datatype and the value; only version 1 fills up to eights, version 3 adds an encoding."""
    version = data[0] if data else 0
    if not 1 <= version <= 3 or len(data) < 9:
        raise Damaged(BAD_HEADER)
    step = 8 if version == 1 else 1
    sizes = [int.from_bytes(data[at : at + 2], "little") for at in (2, 4, 6)]
    name_at = 9 if version == 3 else 8
    kind_at = name_at + -(-sizes[0] // step) * step
    space_at = kind_at + -(-sizes[1] // step) * step
    value_at = space_at + -(-sizes[2] // step) * step
    name = data[name_at : name_at + sizes[0]].partition(b"\0")[0]
    kind = b"" if data[1] & 1 and version > 1 else data[kind_at : kind_at + sizes[1]]
    return name.decode("utf-8", "replace"), kind, data[value_at:]


def _text(file: Layout, kind: bytes, value: bytes) -> bytes | None:
    match kind[:1] and kind[0] & 15:
        case 3:  # a string of this size
            size = int.from_bytes(kind[4:8], "little")
            return value[:size].partition(b"\0")[0]
        case 9 if kind[1:2] and kind[1] & 15 == 1:  # of variable length, and of characters
            return _from_heap(file, value)
        case _:
            return None


def _from_heap(file: Layout, reference: bytes) -> bytes | None:
    """A text in a global heap: its length, the address of the collection, the number in it."""
    end = 8 + file.offsets
    if not end <= len(reference) < end + 8:
        return None  # several texts, or none
    length = int.from_bytes(reference[:4], "little")
    address, number = file.offset(reference, 4), int.from_bytes(reference[end - 4 : end], "little")
    if address is None or number == 0 or length > TEXT_LIMIT:
        return None
    head = file.read(address, 8 + file.lengths)
    if head[:4] != b"GCOL":
        raise Damaged("a heap of it is damaged")
    data = file.read(address, min(file.length(head, 8), COLLECTION_LIMIT))
    at, width = 8 + file.lengths, 8 + file.lengths
    while at + width <= len(data):
        file.step()
        size = file.length(data, at + 8)
        if int.from_bytes(data[at : at + 2], "little") == number:
            return data[at + width : at + width + min(length, size)].rstrip(b"\0")
        at += width + -(-size // 8) * 8
    return None


def _names(file: Layout, heap: int) -> bytes:
    head = file.read(heap, 8 + 2 * file.lengths + file.offsets)
    place = file.offset(head, 8 + 2 * file.lengths)
    if head[:4] != b"HEAP" or place is None:
        raise Damaged("a heap of it is damaged")
    return file.read(place, min(file.length(head, 8), NAMES_LIMIT))


def _symbols(file: Layout, tree: int | None) -> Iterator[tuple[int, int]]:
    """From a B-tree of symbol tables: where in the heap each name is, and the address of the object."""
    waiting, seen = [tree], set()
    width = file.lengths + file.offsets
    while waiting:
        address = waiting.pop()
        if address is None or address in seen:
            raise Damaged("an index of it is damaged")
        seen.add(address)
        file.step()
        head = file.read(address, 8)
        count = int.from_bytes(head[6:8], "little")
        if head[:4] == b"SNOD":
            size = 2 * file.offsets + 24
            data = file.read(address + 8, count * size)
            file.step(count)
            for at in range(0, len(data), size):
                place, target = file.offset(data, at), file.offset(data, at + file.offsets)
                # A soft link has a path in place of an object.
                if place is not None and target is not None and data[at + 2 * file.offsets] != 2:
                    yield place, target
        elif head[:5] == b"TREE\0":
            start = address + 8 + 2 * file.offsets + file.lengths
            data = file.read(start, count * width)
            file.step(count)
            waiting.extend(file.offset(data, at) for at in range(0, len(data), width))
        else:
            raise Damaged("an index of it is damaged")


def _is_dense(file: Layout, data: bytes) -> bool:
    """Whether the links of a group lie in a heap of their own, as more than eight do in files of the newest version."""
    return file.offset(data, 10 if data[1:2] and data[1] & 1 else 2) is not None


def _link(file: Layout, data: bytes) -> tuple[str, int] | None:
    """The name and address of a hard link, `None` for a soft or an external one."""
    if len(data) < 4 or data[0] != 1:
        raise Damaged(BAD_HEADER)
    flags, at = data[1], 2
    if flags & 8:
        if data[2] != 0:
            return None
        at += 1
    at += (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(data[at : at + width], "little")
    at += width
    target = file.offset(data, at + length)
    name = data[at : at + min(length, NAME_LIMIT)]
    return None if target is None else (name.decode("utf-8", "replace"), target)


def _type(message: Message) -> str | None:
    data = message.data
    if message.flags & SHARED or len(data) < 8:
        return "?"
    size = int.from_bytes(data[4:8], "little")
    match data[0] & 15:
        case 0 if size in {1, 2, 4, 8}:  # an integer
            return f"{'I' if data[1] & 8 else 'U'}{size * 8}"
        case 1 if size in {1, 2, 4, 8}:  # a float; BF16 has the exponent of F32
            return "BF16" if size == 2 and data[13:14] == b"\x08" else f"F{size * 8}"
        case 5 if size == 2:  # opaque, as which Keras writes bfloat16
            return "BF16"
        case 8:  # an enumeration, as which h5py writes truth values
            return "BOOL"
        case _:
            return None


def _weights(file: Layout, data: bytes) -> int:
    """The product of the dimensions of a dataspace."""
    version = data[0] if data else 0
    if version not in {1, 2} or len(data) < 4 or data[1] > DIMENSIONS_MAX:
        raise Damaged(BAD_HEADER)
    if version == 2 and data[3] == 2:
        return 0  # the null space
    start = 8 if version == 1 else 4
    sizes = [file.length(data, start + number * file.lengths) for number in range(data[1])]
    if any(size > claims.PARAMETERS_LIMIT for size in sizes):
        raise Damaged(claims.TOO_MANY_PARAMETERS)
    return prod(sizes)
