"""The machine without power: it finds what a pickle names, and no pickle can make it work or grow."""

import pickle
from contextlib import suppress
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory

from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged, EndsEarly
from modelwarden.daemon.identify.reading.pickle_walk import TUPLE_LIMIT, Walk
from modelwarden.daemon.identify.sniffer import BudgetSpentError


class Plain:
    """A class of one's own."""

    def __init__(self) -> None:
        self.values = {"a": [1, 2.5, None, True], "b": (b"bytes", "text" * 100, 2**300), "c": {3, 4}}
        self.again = self.values


def walk(data: bytes) -> Walk:
    """The walk, carried out to the end of the pickle."""
    done = Walk(Cursor(Memory(data)))
    done.finish()
    return done


def names(data: bytes) -> list[object]:
    """What the pickle names and rebuilds."""
    return list(Walk(Cursor(Memory(data))).found())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_walks_over_every_protocol(protocol: int) -> None:
    """What Python pickles is a program to its end, and its classes are named."""
    data = pickle.dumps([Plain(), Plain()], protocol)
    assert walk(data).stopped
    assert f"{__name__}.Plain" in names(data)


def test_leaves_the_cursor_behind_the_pickle() -> None:
    """Several pickles in one file are walked one after the other."""
    cursor = Cursor(Memory(pickle.dumps(7) + pickle.dumps((1, "b")) + b"rest"))
    assert [Walk(cursor).finish(), Walk(cursor).finish(), cursor.take(4)] == [7, (1, "b"), b"rest"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02.",
        b"\x80\x02NN.",
        b"\x80\x02(N.",
        b"\x80\x020.",
        b"\x80\x02h\x07.",
        b"\x80\x02(1N0.",
        b"\x80\x02(\x85.",
        b"\x80\x02q\x01N.",
        b"\x80\x02t.",
        b"\x80\x02\xff.",
        b"\x80\x02(o.",
        b"\x80\x02R.",
        b"\x80\x02X\x02\0\0\0\xff\xff.",
        b"\x80\x02T\xff\xff\xff\xff.",
        b"Ix\n.",
        b"Sno quotes\n.",
        b"Fx\n.",
        b"I1" + bytes(2 << 20),
    ],
)
def test_refuses_what_is_no_program(data: bytes) -> None:
    """Too little on the stack or too much, nothing in the memo, no mark, no opcode, no text, no number."""
    with pytest.raises(Damaged):
        walk(data)


@pytest.mark.parametrize("length", [b"\x8e" + pack("<Q", 1 << 60), b"\x8d" + pack("<Q", 1 << 60), b"B\xff\xff\xff\xff"])
def test_reads_no_long_argument(length: bytes) -> None:
    """A length beyond the file is its end, without a byte of it read."""
    window = Memory(b"\x80\x05" + length + bytes(100_000))
    with pytest.raises(EndsEarly):
        Walk(Cursor(window)).finish()
    assert window.left > (96 << 20) - (1 << 17)


def test_steps_over_bytes_without_reading_them() -> None:
    """An array of a model may have gigabytes: what stands behind it is found all the same."""
    data = pickle.dumps([bytes(50 << 20), Plain()], 5)
    window = Memory(data)
    assert f"{__name__}.Plain" in list(Walk(Cursor(window)).found())
    assert window.left > (96 << 20) - (1 << 18)


NESTED = b"\x80\x04" + b"K\1" + b"2\x86" * 400
BOMBS = {
    "a tuple of itself, doubled, as a name": NESTED + b"2\x93.",
    "a tuple of itself, doubled, as an argument": NESTED + b"ctorch._utils\n_rebuild_tensor_v2\nh\0R.",
    "a memo that grows": b"\x80\x04N" + b"".join(b"r" + pack("<I", number) for number in range(400_000)),
    "a stack that grows": b"\x80\x04" + b"N" * 1_000_000,
    "marks without end": b"\x80\x04" + b"(" * 1_000_000,
    "lists and pops": b"]" + b"0]" * 1_000_000 + b".",
    "dictionaries": b"\x80\x02" + b"}" * 400_000,
    "tuples in tuples": b"\x80\x02N" + b"\x85" * 400_000,
    "tuples of one long stack": b"\x80\x02" + (b"(" + b"N" * 60 + b"t") * 20_000,
    "long text": b"\x80\x02" + (b"X" + pack("<I", 299) + b"x" * 295 + "🦙".encode()) * 60_000,
    "long numbers": b"\x80\x02" + (b"\x8b" + pack("<i", 1 << 20) + b"\xff" * (1 << 20)) * 30,
    "long numbers in text": b"L" + b"9" * (1 << 20) + b"L\n.",
    "names": b"\x80\x02" + (b"c" + b"x" * 250 + b"\n" + b"y" * 250 + b"\n") * 60_000,
    "one name again and again": b"\x80\x02X\xfa\0\0\0" + b"x" * 250 + b"q\0" + b"h\0h\0\x93" * 100_000,
    "short text": b"\x80\x02" + (b"X" + pack("<I", 65) + b"x" * 61 + "🦙".encode()) * 300_000,
    "lines without end": b"S'" + b"x" * (20 << 20),
    "references": b"\x80\x02ctorch\nFloatStorage\nq\0" + b"(U\7storageh\0U\1aNK\7tQ" * 60_000,
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_bombs_are_small(data: bytes) -> None:
    """Programs that make a real machine grow, or work for long, end in time."""

    def parse() -> None:
        with suppress(Damaged, BudgetSpentError):
            for _ in Walk(Cursor(Memory(data))).found():
                pass

    within_limits(parse)


def test_is_bounded() -> None:
    """A pickle of millions of opcodes is given up."""
    with pytest.raises(Damaged, match="longer than an inspection reads"):
        walk(BOMBS["lists and pops"])


def test_pickles_in_pickles_are_bounded() -> None:
    """An array of objects is a pickle inside; one that begins another one without end is refused."""
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}U\5dtypecnumpy\ndtype\nU\2O8\x85Rsb"
    with pytest.raises(Damaged):
        walk(b"\x80\x02" + wrapper * 100)


@pytest.mark.parametrize("shape", [(2**62, 2**62), (-1,), ("x",), (1,) * (TUPLE_LIMIT + 1)])
def test_believes_no_absurd_array(shape: tuple[object, ...]) -> None:
    """What joblib puts between the opcodes has a size that a file can have."""
    head = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\5shape" + pickle.dumps(shape, 2)[2:-1]
    with pytest.raises(Damaged):
        walk(head + b"U\5dtypecnumpy\ndtype\nU\2f8\x85Rub." + bytes(1000))


OPCODES = st.sampled_from(
    [bytes([code]) for code in b"(t\x85\x86)RQ20lde\x93\x94sb\x81ou1.]}N\x8f\x90\x91\x92"]
    + [b"q\0", b"h\0", b"K\7", b"X\1\0\0\0a", b"ctorch._utils\n_rebuild_tensor_v2\n", b"S'\\d'\n", b"p1\n", b"g1\n"]
    + [b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n", b"cnumpy\ndtype\n", b"X\5\0\0\0shape", b"X\5\0\0\0dtype", b"U\2f8"]
)


@settings(max_examples=500, deadline=2000)
@given(parts=st.lists(OPCODES | st.binary(max_size=4), max_size=40))
def test_walks_over_anything(parts: list[bytes]) -> None:
    """A program of any opcodes gives facts or a problem."""
    with suppress(Damaged):
        names(b"".join(parts))


@settings(max_examples=300, deadline=2000)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner) | st.tuples(inner, inner),
        max_leaves=30,
    ),
    protocol=st.integers(0, pickle.HIGHEST_PROTOCOL),
)
def test_agrees_with_the_pickler(value: object, protocol: int) -> None:
    """Whatever Python writes, the walk ends exactly where the pickle does."""
    data = pickle.dumps(value, protocol)
    cursor = Cursor(Memory(data + b"behind"))
    Walk(cursor).finish()
    assert cursor.offset == len(data)
