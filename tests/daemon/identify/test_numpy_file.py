"""Arrays of numpy: their headers are read, and nothing makes one a model by itself."""

import io
from struct import pack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, mutations

from modelwarden.daemon.identify.numpy_file import FORMAT
from modelwarden.daemon.identify.sniffer import Identity


def saved(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    """A file as numpy writes it."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def file(header: str, version: int = 1) -> bytes:
    """A file with any header."""
    length = pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode()


def identify(data: bytes) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


@pytest.mark.parametrize(
    ("kind", "name"), [("f4", "F32"), (">f8", "F64"), ("f2", "F16"), ("i8", "I64"), ("u1", "U8"), ("?", "BOOL")]
)
def test_says_what_an_array_is(kind: str, name: str) -> None:
    """Elements and their type, and that it is a model only in the hands of others."""
    identity = identify(saved(np.zeros((3, 4, 5), kind)))
    assert identity == Identity("npy", None, None, 60, name, tensor_types=((name, 60),), generic=True)


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, None], dtype=object),
        np.array(["a", "bc"]),
        np.zeros(3, "M8[ns]"),
        np.zeros(3, [("a", "f8"), ("b", "i4")]),
        np.zeros(0),
    ],
    ids=["objects", "text", "times", "structures", "nothing"],
)
def test_other_elements_are_no_weights(array: np.ndarray) -> None:  # type: ignore[type-arg]
    """Objects, text, times and structures have no type of weights, and say no architecture."""
    assert identify(saved(array)) == Identity("npy", generic=True)


def test_one_number_is_an_array() -> None:
    """An array without dimensions has one element."""
    identity = identify(saved(np.array(1.5)))
    assert identity is not None
    assert identity.parameters == 1


@pytest.mark.parametrize("version", [1, 2, 3])
def test_reads_each_version(version: int) -> None:
    """The length of the header has two bytes or four; Python 2 wrote long numbers with an L."""
    data = file("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }\n", version) + bytes(24)
    assert identify(data) == Identity("npy", None, None, 6, "F32", tensor_types=(("F32", 6),), generic=True)


@pytest.mark.parametrize(
    "data",
    [
        file("{'descr': '<f4', 'shape': (9000000000,)}"),
        file("{'descr': '<f4', 'shape': (" + "9" * 5000 + ",)}"),
        file("{'descr': '<f4', 'shape': (" + "9999999999999999999," * 64 + ")}"),
        file("{'descr': '<f4', 'shape': (" + "1," * 20_000 + ")}"),
        file("{'descr': '<f4', 'shape': (-1,)}"),
        file("{'descr': '<f9999999999999', 'shape': (1,)}"),
        file("(" * 70_000, 2),
        b"\x93NUMPY\2\0" + b"\xff" * 8,
        b"\x93NUMPY\1\0\xff\xff{'descr'",
        b"\x93NUMPY\1\0\0\0x",
    ],
)
def test_lies_are_problems(data: bytes) -> None:
    """Sizes beyond the file, beyond any array, headers beyond the limit or the file."""
    identity = within_limits(lambda: identify(data))
    assert identity is not None
    assert identity.problem is not None
    assert identity.generic


def test_nesting_costs_nothing() -> None:
    """The header is not evaluated, so it cannot nest."""
    data = file("{'descr': " + "[" * 60_000 + ", 'shape': (1,)}")
    assert within_limits(lambda: identify(data)) == Identity("npy", generic=True)


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x93NUMPY\4\0" + bytes(100), b"NUMPY\1\0" + bytes(100)])
def test_leaves_other_files_alone(data: bytes) -> None:
    """Without the magic and a version that there is, it is no array."""
    assert identify(data) is None


def test_survives_every_cut() -> None:
    """A download that stopped is an array with a problem."""
    data = saved(np.arange(50.0))
    for end in range(11, len(data)):
        identity = identify(data[:end])
        assert identity is not None
        assert identity.problem is not None, end


@settings(max_examples=300, deadline=2000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(saved(np.zeros((3, 4))))))
    assert identity is None or identity.generic
