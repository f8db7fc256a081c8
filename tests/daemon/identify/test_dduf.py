"""DDUF: a whole pipeline gives the sums over its weights, and other zip archives are left alone."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import Memory, mutations, safetensors_bytes, safetensors_raw

from modelwarden.daemon.identify.dduf import FORMAT
from modelwarden.daemon.identify.sniffer import Identity

INDEX = {
    "_class_name": "FluxPipeline",
    "_name_or_path": "black-forest-labs/FLUX.1-dev",
    "transformer": ["diffusers", "FluxTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
BIG = safetensors_bytes({"w": ("BF16", [10, 10], [0, 200])}, data=bytes(200))
SMALL = safetensors_bytes({"w": ("F32", [5], [0, 20])}, {"format": "pt"}, bytes(20))
MEMBERS = {
    "model_index.json": json.dumps(INDEX).encode(),
    "transformer/config.json": b"{}",
    "transformer/diffusion_pytorch_model-00001-of-00002.safetensors": BIG,
    "transformer/diffusion_pytorch_model-00002-of-00002.safetensors": BIG,
    "vae/config.json": b"{}",
    "vae/diffusion_pytorch_model.safetensors": SMALL,
}


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive in memory."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A pipeline as huggingface_hub packs it."""
    from huggingface_hub import export_entries_as_dduf  # noqa: PLC0415

    path: Path = tmp_path_factory.mktemp("dduf") / "flux.dduf"
    export_entries_as_dduf(path, MEMBERS.items())
    return path.read_bytes()


def identify(data: bytes, name: str = "") -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def test_says_what_a_pipeline_is(valid: bytes) -> None:
    """The weights of all of its models count."""
    assert identify(valid) == Identity(
        "dduf",
        "black-forest-labs/FLUX.1-dev",
        "FluxPipeline",
        205,
        "BF16",
        tensor_types=(("BF16", 200), ("F32", 5)),
    )


@pytest.mark.parametrize(
    "members",
    [
        {"readme.txt": b"x" * 50},
        {"model_index.json": b"[]"},
        {"model_index.json": b'{"_class_name": 7}'},
        {"model_index.json": b"{"},
        {"flux/model_index.json": json.dumps(INDEX).encode()},
    ],
)
def test_leaves_other_archives_alone(members: dict[str, bytes]) -> None:
    """A zip archive is no pipeline by itself, and one that calls itself so is a damaged one."""
    assert identify(archive(members)) is None
    identity = identify(archive(members), "flux.dduf")
    assert identity is not None
    assert identity.problem is not None


@pytest.mark.parametrize(("first", "is_one"), [("vae/config.json", True), ("README.md", False), ("a/b/c.json", False)])
def test_an_archive_with_other_files_is_none(first: str, is_one: bool) -> None:
    """huggingface_hub refuses what has other files, or folders in folders: the first member tells."""
    assert (identify(archive({first: b"{}", **MEMBERS})) is not None) == is_one


def test_takes_no_folder_that_somebody_zipped() -> None:
    """DDUF stores what it holds; a compressed one is no model, or a broken one by its extension."""
    data = archive(MEMBERS, zipfile.ZIP_DEFLATED)
    assert identify(data) is None
    identity = identify(data, "flux.dduf")
    assert identity is not None
    assert "compressed" in (identity.problem or "")


def test_a_part_is_no_count() -> None:
    """When one of the weights cannot be read, their sum is not told."""
    identity = identify(archive({**MEMBERS, "vae/z.safetensors": b"broken" * 9}))
    assert identity is not None
    assert (identity.parameters, identity.tensor_types) == (None, ())
    assert identity.problem is not None


def test_weights_are_as_long_as_they_say() -> None:
    """A member that is shorter than its tensors is cut short, though the archive is whole."""
    identity = identify(archive({**MEMBERS, "vae/z.safetensors": SMALL[:-4]}))
    assert identity is not None
    assert "cut short" in (identity.problem or "")


def test_many_large_headers_are_given_up() -> None:
    """A hundred members over the same header of 16 MB are not all read, nor kept."""
    entry = b'"%s":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},' % (b"n" * 4000)
    header = b"{" + entry * ((15 << 20) // len(entry)) + entry[:-1] + b"}"
    members = {f"vae/{number}.safetensors": safetensors_raw(header) for number in range(8)}
    data = archive({"model_index.json": json.dumps(INDEX).encode(), **members})
    tracemalloc.start()
    try:
        identity = identify(data)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert identity is not None
    assert identity.parameters is None
    assert "larger than an inspection reads" in (identity.problem or "")


@settings(max_examples=200, deadline=2000)
@given(data=st.data())
def test_survives_mutations(valid: bytes, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(valid)), "m.dduf")
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
