"""safetensors: real files give their identity, hostile ones a problem."""

import json
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import Memory, Shelf, mutations, safetensors_bytes, safetensors_raw, write_safetensors

from modelwarden.daemon.identify.safetensors import FORMAT
from modelwarden.daemon.identify.sniffer import Identity, Shard

VALID = safetensors_bytes(
    {"a.weight": ("BF16", [4, 8], [0, 64]), "a.bias": ("F32", [8], [64, 96])},
    {"modelspec.title": "Tiny", "modelspec.license": "MIT", "format": "pt"},
    bytes(96),
)


MIXED = (("F16", 2080), ("F32", 8))
INDEX = "model.safetensors.index.json"


def identify(
    data: bytes, size: int | None = None, name: str = "", beside: dict[str, bytes] | None = None
) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size, name=name, beside=Shelf(beside))
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def problem_of(data: bytes) -> str | None:
    """The problem, of data that must be recognised."""
    identity = identify(data)
    assert identity is not None
    return identity.problem


def test_says_what_a_model_is(tmp_path: Path) -> None:
    """A file of the safetensors package is known by its shapes and its metadata."""
    metadata = {"modelspec.title": "Tiny ✓", "modelspec.architecture": "sdxl", "modelspec.license": "CC0"}
    path = write_safetensors(tmp_path / "m.safetensors", metadata)
    assert identify(path.read_bytes()) == Identity(
        "safetensors", "Tiny ✓", "sdxl", 2088, "F16", "CC0", tensor_types=MIXED
    )


def test_says_nothing_that_the_file_does_not(tmp_path: Path) -> None:
    """Without metadata only the weights speak."""
    path = write_safetensors(tmp_path / "m.safetensors")
    assert identify(path.read_bytes()) == Identity(
        "safetensors", parameters=2088, quantization="F16", tensor_types=MIXED
    )


def test_reads_any_order_and_blanks() -> None:
    """JSON of other writers has blanks, and its keys in any order."""
    tensor = {"data_offsets": [0, 8], "shape": [2, 1], "dtype": "F32"}
    header = json.dumps({"w": tensor}, indent=3).encode() + b"   \n"
    assert identify(safetensors_raw(b"{  " + header[1:], bytes(8))) == Identity(
        "safetensors", parameters=2, quantization="F32", tensor_types=(("F32", 2),)
    )


def test_reads_long_entries() -> None:
    """Metadata of half a megabyte, as image trainers write, is stepped over."""
    metadata = {"ss_tag_frequency": "x" * 500_000, "ss_output_name": "my_lora"}
    data = safetensors_bytes({"w": ("F16", [3], [0, 6])}, metadata, bytes(6))
    assert identify(data) == Identity("safetensors", "my_lora", None, 3, "F16", tensor_types=(("F16", 3),))


def test_takes_what_config_json_says(tmp_path: Path) -> None:
    """Beside weights of transformers stands what they are."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "_name_or_path": "meta-llama/Llama-3.2-1B",
        "quantization_config": {"quant_method": "gptq", "bits": 4},
    }
    path = write_safetensors(tmp_path / "model.safetensors", {"format": "pt"})
    identity = identify(path.read_bytes(), beside={"config.json": json.dumps(config).encode()})
    assert identity == Identity(
        "safetensors", "meta-llama/Llama-3.2-1B", "LlamaForCausalLM", 2088, "gptq-4bit", tensor_types=MIXED
    )


def test_believes_the_file_before_its_neighbour() -> None:
    """What the metadata says, the configuration cannot change."""
    identity = identify(VALID, beside={"config.json": b'{"architectures": ["A"], "_name_or_path": "b/c"}'})
    assert identity is not None
    assert (identity.name, identity.architecture) == ("Tiny", "A")


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("meta-llama/Llama-3.2-1B", "LORA adapter of meta-llama/Llama-3.2-1B"),
        ("/home/dana/models/tiny/", "LORA adapter of tiny"),
        (7, None),
    ],
)
def test_an_adapter_is_not_its_base(base: object, name: str | None) -> None:
    """What PEFT says of the model that it changes is not the adapter's own name."""
    config = {"base_model_name_or_path": base, "peft_type": "LORA", "auto_mapping": {"base_model_class": "Llama"}}
    neighbours = {"adapter_config.json": json.dumps(config).encode(), "config.json": b'{"architectures": ["No"]}'}
    data = safetensors_bytes({"w": ("F16", [3], [0, 6])}, data=bytes(6))
    identity = identify(data, name="adapter_model.safetensors", beside=neighbours)
    assert identity is not None
    assert (identity.name, identity.architecture) == (name, "Llama")


@pytest.mark.parametrize("config", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"auto_mapping": 7}'])
def test_survives_a_hostile_neighbour(config: bytes) -> None:
    """A neighbour that is no configuration says nothing."""
    beside = {"config.json": config, "adapter_config.json": config}
    for name in ("model.safetensors", "adapter_model.safetensors"):
        assert identify(VALID, name=name, beside=beside) == identify(VALID)


def test_a_shard_is_in_the_index(tmp_path: Path) -> None:
    """Of what huggingface_hub splits, each file is a part, and is said to be the one that it is."""
    from huggingface_hub import save_torch_state_dict  # noqa: PLC0415
    from torch import zeros  # noqa: PLC0415

    save_torch_state_dict({name: zeros(100) for name in "abc"}, tmp_path, max_shard_size=500)
    index = {INDEX: (tmp_path / INDEX).read_bytes()}
    shards = sorted(tmp_path.glob("*.safetensors"))
    found = [identify(path.read_bytes(), name=path.name, beside=index) for path in shards]
    assert [identity and identity.shard for identity in found] == [Shard(1, 3), Shard(2, 3), Shard(3, 3)]
    assert [identity and identity.parameters for identity in found] == [100, 100, 100]


def test_a_shard_needs_no_index() -> None:
    """A folder that was copied in part has no index; the name tells alone."""
    identity = identify(VALID, name="model-00002-of-00003.safetensors")
    assert identity is not None
    assert identity.shard == Shard(2, 3)


def test_no_shard_of_an_index_that_lacks_it() -> None:
    """A file that merely has such a name is whole."""
    beside = {INDEX: b'{"weight_map": {"w": "model-00001-of-00002.safetensors"}}'}
    identity = identify(VALID, name="model-00002-of-00002.safetensors", beside=beside)
    assert identity is not None
    assert identity.shard is None


def test_takes_no_endless_type() -> None:
    """A type of a megabyte is none."""
    tensor = b'{"a":{"dtype":"' + b"F" * 900_000 + b'","shape":[1],"data_offsets":[0,4]}}'
    identity = identify(safetensors_raw(tensor, bytes(4)))
    assert identity is not None
    assert (identity.quantization, identity.tensor_types) == (None, ())


def test_sees_a_download_that_stopped() -> None:
    """A file shorter than its tensors is what it is, with a problem."""
    identity = identify(VALID[:-50])
    assert identity is not None
    assert (identity.name, identity.parameters) == ("Tiny", 40)
    assert "cut short" in (identity.problem or "")


def test_sees_what_no_tensor_claims() -> None:
    """Bytes behind the last tensor may be another file in disguise."""
    assert "belong to none" in (problem_of(VALID + b"MZ") or "")


@pytest.mark.parametrize(
    "header",
    [
        b'{"a":{"dtype":"F32","shape":[1152921504606846976,9],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[' + b"100000," * 70 + b'1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}',
        b'{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32"}}',
        b'{"__metadata__":7}',
        b'{"__metadata__":{"a":' + b"[" * 60_000 + b"}}",
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},,}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} {}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',
        b'{"a" {"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
    ],
)
def test_survives_lies(header: bytes) -> None:
    """Nonsense of every kind ends in a problem, without a count."""
    identity = identify(safetensors_raw(header, bytes(4)))
    assert identity is not None
    assert identity.problem is not None
    assert identity.parameters is None


def test_stops_in_a_giant_header() -> None:
    """A header of 90 MB is read in part, and a part is no count."""
    entry = b'"%s":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' % (b"n" * 400)
    start = b"{" + entry * ((17 << 20) // len(entry))
    identity = identify(pack("<Q", 90_000_000) + start, size=1 << 40)
    assert identity is not None
    assert identity.parameters is None
    assert identity.problem == "its header is larger than an inspection reads"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        pack("<Q", 1 << 60) + b'{"a":1}',
        pack("<Q", 1) + b'{"a":1}',
        safetensors_raw(b"{broken", bytes(100)),
        safetensors_raw(b'{"answer":42}', bytes(100)),
    ],
)
def test_leaves_others_alone(data: bytes) -> None:
    """What merely begins alike is no model."""
    assert identify(data) is None


def test_survives_every_cut() -> None:
    """A file that ends anywhere is a file with a problem, or too short to be one."""
    for end in range(len(VALID)):
        identity = identify(VALID[:end])
        assert identity is None or identity.problem is not None, end


def test_cleans_claims() -> None:
    """Claims are cut, and what cannot be encoded is replaced."""
    header = b'{"__metadata__":{"modelspec.title":"' + b"\\ud800" * 500 + b'"}}'
    identity = identify(safetensors_raw(header))
    assert identity is not None
    assert identity.name == "?" * 200


@settings(max_examples=400, deadline=2000)
@given(data=mutations(VALID))
def test_survives_mutations(data: bytes) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data)
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15


@settings(max_examples=200, deadline=2000)
@given(data=st.binary(max_size=300))
def test_survives_noise(data: bytes) -> None:
    """A header of noise raises nothing."""
    identify(safetensors_raw(b"{" + data))
