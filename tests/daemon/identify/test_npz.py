"""Archives of arrays: weights by the names of layers, otherwise generic, and other archives are none."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, mutations

from modelwarden.daemon.identify.npz import ARRAYS_LIMIT, FORMAT
from modelwarden.daemon.identify.sniffer import Identity

TYPES = (("F32", 15), ("F16", 4))
LAYERS = {
    "layers.0.attention.wq.weight": np.zeros((3, 4), np.float32),
    "layers.0.attention.wq.bias": np.zeros(3, np.float32),
    "norm.weight": np.zeros(4, np.float16),
}


def saved(arrays: dict[str, Any], write: Callable[..., None] = np.savez) -> bytes:
    """An archive as numpy writes it."""
    stream = io.BytesIO()
    write(stream, **arrays)
    return stream.getvalue()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of anything."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


def identify(data: bytes) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_weights_are_a_model(write: Callable[..., None]) -> None:
    """Arrays that are named like the layers of a network are its weights, packed or not."""
    assert identify(saved(LAYERS, write)) == Identity("npz", None, None, 19, "F32", tensor_types=TYPES)


def test_names_of_jax_are_weights() -> None:
    """JAX separates the levels of its trees by slashes."""
    arrays = {"Transformer/encoderblock_0/Dense_0/kernel": np.zeros(4), "Transformer/encoder_norm/scale": np.zeros(2)}
    identity = identify(saved(arrays))
    assert identity is not None
    assert not identity.generic


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.zeros(4), "y": np.zeros(12)},
        {"data": np.zeros(4), "indices": np.zeros(4), "indptr": np.zeros(4), "shape": np.zeros(4)},
        {"weight": np.zeros(8), "height": np.zeros(8)},
        {"a.weight": np.zeros(12), "b": np.zeros(1), "c": np.zeros(3)},
    ],
    ids=["data", "a sparse matrix", "people", "one of three"],
)
@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_other_arrays_are_generic(write: Callable[..., None], arrays: dict[str, Any]) -> None:
    """Arrays of any other names are a model only in the hands of a program that learns."""
    identity = identify(saved(arrays, write))
    assert identity is not None
    assert (identity.generic, identity.problem, identity.parameters) == (True, None, 16)


def test_objects_are_no_weights() -> None:
    """Python objects have no type of weights."""
    assert identify(saved({"x": np.array([None, {}], dtype=object)})) == Identity("npz", generic=True)


ARRAY = b"\x93NUMPY\1\0\x2a\0{'descr': '<f4', 'shape': (2, 3), 'x': 0}   "


@pytest.mark.parametrize(
    "members",
    [
        {"readme.txt": b"x"},
        {"a.npy": ARRAY, "readme.txt": b"x"},
        {"m/data.pkl": b"\x80\x02N.", "m/version": b"3"},
        {"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b"x"},
    ],
)
def test_leaves_other_archives_alone(members: dict[str, bytes]) -> None:
    """An archive with anything but arrays in it is not numpy's."""
    assert identify(archive(members)) is None


@pytest.mark.parametrize(
    "array",
    [
        b"no array at all",
        ARRAY.replace(b"(2, 3)", b"(9" + b"9" * 60 + b")"),
        ARRAY.replace(b"(2, 3)", b"(9999999999999999999, 9)"),
        b"\x93NUMPY\2\0\xff\xff\xff\x7f",
    ],
)
def test_a_lying_array_is_a_problem(array: bytes) -> None:
    """What is no array, or larger than any, is said."""
    identity = identify(archive({"a.npy": array}))
    assert identity is not None
    assert identity.problem is not None


def test_bombs_are_small() -> None:
    """Of an array that unpacks to 200 MB its header is unpacked, of very many arrays only so many."""
    huge = archive({"a.npy": ARRAY + bytes(200 << 20)}, zipfile.ZIP_DEFLATED)
    assert within_limits(lambda: identify(huge)) is not None
    many = archive({f"{number}.npy": ARRAY for number in range(ARRAYS_LIMIT + 1000)})
    identity = within_limits(lambda: identify(many))
    assert identity is not None
    assert identity.parameters is None


def test_survives_every_cut() -> None:
    """A download that stopped is an archive with a problem."""
    data = saved(LAYERS)
    for end in range(200, len(data), 7):
        identity = identify(data[:end])
        assert identity is not None
        assert identity.problem is not None, end


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(saved(LAYERS, np.savez_compressed))))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
