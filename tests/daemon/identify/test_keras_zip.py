"""Keras archives: real files give their identity, hostile ones a problem; no configuration is obeyed."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import Memory, mutations

from modelwarden.daemon.identify.keras_zip import FORMAT
from modelwarden.daemon.identify.sniffer import Identity

METADATA = b'{"keras_version": "3.15.1", "date_saved": "2026-11-25@13:54:03"}'
CONFIG = json.dumps({"class_name": "Functional", "config": {"name": "digits"}}).encode()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive in memory."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


def identify(data: bytes, name: str = "") -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def test_says_what_a_model_is(keras_files: Path) -> None:
    """The configuration has its name and class; the weights are counted without what training keeps."""
    identity = identify((keras_files / "model.keras").read_bytes())
    assert identity == Identity("keras", "digits", "Sequential", 212, "F32", tensor_types=(("F32", 212),))


def test_tells_bfloat16(keras_files: Path) -> None:
    """A model in half, without a name of its own."""
    identity = identify((keras_files / "half.keras").read_bytes())
    assert identity == Identity("keras", None, "Sequential", 144, "BF16", tensor_types=(("BF16", 144),))


@pytest.mark.parametrize(
    "members",
    [
        {"config.json": CONFIG},
        {"config.json": CONFIG, "metadata.json": b"{}"},
        {"metadata.json": METADATA},
        {"a/config.json": CONFIG, "a/metadata.json": METADATA},
        {"readme.txt": b"x" * 50},
    ],
)
def test_leaves_other_archives_alone(members: dict[str, bytes]) -> None:
    """A configuration is no model by itself; one that is called so is a broken one."""
    assert identify(archive(members)) is None
    identity = identify(archive(members), "model.keras")
    assert identity is not None
    assert identity.problem is not None


def test_an_archive_that_starts_otherwise_is_known_by_its_name() -> None:
    """Somebody packed it anew: Keras loads it by its extension, so it is looked for by that."""
    data = archive({"assets/": b"", "config.json": CONFIG, "metadata.json": METADATA})
    assert identify(data) is None
    assert identify(data, "model.keras") == Identity("keras", "digits", "Functional")


def test_weights_of_another_kind_are_not_counted() -> None:
    """Weights as npz are pickles, which are not looked into."""
    members = {"config.json": CONFIG, "metadata.json": METADATA, "model.weights.npz": b"x"}
    assert identify(archive(members)) == Identity("keras", "digits", "Functional")


@pytest.mark.parametrize("config", [b"[]", b"{", b"[" * 100_000, b'{"class_name": 7, "config": []}', b" " * (2 << 20)])
def test_survives_a_hostile_configuration(config: bytes) -> None:
    """What is no configuration says nothing."""
    identity = identify(archive({"config.json": config, "metadata.json": METADATA}, zipfile.ZIP_DEFLATED))
    assert identity is not None
    assert (identity.name, identity.architecture) == (None, None)


@pytest.mark.parametrize("weights", [b"", b"\x89HDF\r\n\x1a\n" + b"\xff" * 200, bytes(5000)])
def test_weights_that_cannot_be_read_are_a_problem(weights: bytes) -> None:
    """The member has to be HDF5."""
    members = {"config.json": CONFIG, "metadata.json": METADATA, "model.weights.h5": weights}
    identity = identify(archive(members))
    assert identity is not None
    assert (identity.name, identity.parameters) == ("digits", None)
    assert identity.problem is not None


def test_repacked_weights_are_not_unpacked(keras_files: Path) -> None:
    """Somebody compressed the archive: Keras could read it, an inspection would have to unpack gigabytes."""
    with zipfile.ZipFile(keras_files / "model.keras") as source:
        members = {name: source.read(name) for name in source.namelist()}
    identity = identify(archive(members, zipfile.ZIP_DEFLATED))
    assert identity is not None
    assert (identity.name, identity.parameters, identity.problem) == ("digits", None, "its weights are compressed")


@settings(max_examples=300, deadline=2000)
@given(data=st.data())
def test_survives_mutations(keras_files: Path, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations((keras_files / "model.keras").read_bytes())), "m.keras")
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
