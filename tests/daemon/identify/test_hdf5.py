"""HDF5: files of Keras give their identity, others are generic, hostile ones a problem."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import Memory, Shelf, mutations

from modelwarden.daemon.identify.hdf5 import FORMAT
from modelwarden.daemon.identify.sniffer import Identity, Shard

DIGITS = Identity("keras-h5", "digits", "Sequential", 212, "F32", tensor_types=(("F32", 212),))


def identify(data: bytes, name: str = "", beside: dict[str, bytes] | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name, beside=Shelf(beside))
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def written(folder: Path, fill: Callable[[h5py.File], None], **options: object) -> bytes:
    """The bytes of a file that h5py writes."""
    path = folder / "file.h5"
    with h5py.File(path, "w", **options) as file:
        fill(file)
    return path.read_bytes()


def test_says_what_a_model_is(keras_files: Path) -> None:
    """A whole model has its configuration in an attribute; what training keeps is not counted."""
    assert identify((keras_files / "model.h5").read_bytes()) == DIGITS


def test_says_what_weights_are(keras_files: Path) -> None:
    """Weights alone have the model's name at its own variables."""
    identity = identify((keras_files / "model.weights.h5").read_bytes())
    assert identity == Identity("keras-h5", "digits", None, 212, "F32", tensor_types=(("F32", 212),))


def test_tells_bfloat16(keras_files: Path) -> None:
    """HDF5 has no such type: Keras writes two opaque bytes. A name by counting is none."""
    identity = identify((keras_files / "half.h5").read_bytes())
    assert identity == Identity("keras-h5", None, "Sequential", 144, "BF16", tensor_types=(("BF16", 144),))


def test_tells_which_shard_it_is(keras_files: Path) -> None:
    """Keras counts parts from 0, and lists them in a file beside them."""
    beside = {"part.weights.json": (keras_files / "part.weights.json").read_bytes()}
    data = (keras_files / "part_00001.weights.h5").read_bytes()
    identity = identify(data, "part_00001.weights.h5", beside)
    assert identity is not None
    assert (identity.format, identity.shard, identity.parameters) == ("keras-h5", Shard(2, 6), 84)
    for index in ({}, {"part.weights.json": b'{"weight_map": {"a": ["b", 7], "c": 9}}'}):
        identity = identify(data, "part_00001.weights.h5", index)
        assert identity is not None
        assert identity.shard is None


def old(file: h5py.File) -> None:
    """A file as Keras 2 wrote it, with fixed strings."""
    config = {"class_name": "Model", "config": {"name": "vgg16", "layers": []}}
    file.attrs["model_config"] = np.bytes_(json.dumps(config))
    file.create_dataset("model_weights/a/kernel:0", data=np.zeros((3, 5), np.float16))


@pytest.mark.parametrize("options", [{}, {"libver": "latest"}, {"userblock_size": 2048}, {"track_order": True}])
def test_reads_every_version(tmp_path: Path, options: dict[str, object]) -> None:
    """Old headers with their B-trees, new ones with links, and files behind a block of somebody else's."""
    identity = identify(written(tmp_path, old, **options), "old.h5")
    assert identity == Identity("keras-h5", "vgg16", "Model", 15, "F16", tensor_types=(("F16", 15),))


def test_a_user_block_is_looked_behind_by_name_only(tmp_path: Path) -> None:
    """Every file would be read at ten places otherwise."""
    assert identify(written(tmp_path, old, userblock_size=512), "old.bin") is None


def test_an_array_is_generic(tmp_path: Path) -> None:
    """Measurements are no model; their numbers are counted all the same, by how they are stored."""

    def fill(file: h5py.File) -> None:
        file.create_dataset("run/x", data=np.zeros((10, 10)), compression="gzip")
        file.create_dataset("run/flags", data=np.zeros(7, bool))
        file.create_dataset("run/n", data=np.zeros(3, np.uint16))
        file.create_dataset("run/words", data=["a", "b"])
        file.attrs["title"] = "measurements"

    types = (("F64", 100), ("BOOL", 7), ("U16", 3))
    expected = Identity("hdf5", parameters=110, quantization="F64", tensor_types=types, generic=True)
    assert identify(written(tmp_path, fill)) == expected


def test_many_groups_are_walked(tmp_path: Path) -> None:
    """A model of a thousand layers has a tree of several nodes."""

    def fill(file: h5py.File) -> None:
        file.attrs["layer_names"] = [f"layer{number}" for number in range(1000)]
        for number in range(1000):
            file.create_dataset(f"layer{number}/kernel", data=np.zeros(2, np.float32))

    identity = identify(written(tmp_path, fill))
    assert identity is not None
    assert (identity.format, identity.parameters, identity.problem) == ("keras-h5", 2000, None)


def test_an_index_that_is_not_read_is_a_problem(tmp_path: Path) -> None:
    """The newest way to store many links is not known here; nothing is counted wrongly for it."""

    def fill(file: h5py.File) -> None:
        for number in range(50):
            file[f"d{number}"] = np.zeros(3)

    identity = identify(written(tmp_path, fill, libver="latest"))
    assert identity is not None
    assert identity.parameters is None
    assert "index" in (identity.problem or "")


def test_a_weight_with_two_names_counts_once(tmp_path: Path) -> None:
    """A group that holds itself is walked once, too; links to elsewhere lead nowhere."""

    def fill(file: h5py.File) -> None:
        file["a/w"] = np.zeros(5, np.float32)
        file["a/again"] = file["a/w"]
        file["a/loop"] = file["a"]
        file["root"] = file["/"]
        file["soft"] = h5py.SoftLink("/a/w")
        file["else"] = h5py.ExternalLink("other.h5", "/w")

    for version in ("earliest", "latest"):
        identity = identify(written(tmp_path, fill, libver=version))
        assert identity is not None
        assert (identity.parameters, identity.problem) == (5, None)


@pytest.mark.parametrize("data", [b"", b"\x89HDF", bytes(5000), b"PK\3\4" + bytes(600)])
def test_leaves_others_alone(data: bytes) -> None:
    """Without a superblock it is none, whatever it is called."""
    assert identify(data, "model.h5") is None


def test_sees_a_download_that_stopped(keras_files: Path) -> None:
    """A file that is shorter than it says is what it is, with a problem."""
    data = (keras_files / "model.h5").read_bytes()
    identity = identify(data[:-100])
    assert identity is not None
    assert (identity.name, identity.parameters) == ("digits", 212)
    assert "cut short" in (identity.problem or "")


@settings(max_examples=400, deadline=2000)
@given(data=st.data())
def test_survives_mutations(keras_files: Path, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    name = data.draw(st.sampled_from(["model.h5", "model.weights.h5"]))
    identity = identify(data.draw(mutations((keras_files / name).read_bytes())), name)
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
