"""MLC's shards: raw numbers are a model when an index beside them says so."""

import json

import pytest
from hypothesis import given, settings
from tests.models import Memory, Shelf, mutations

from modelwarden.daemon.identify.mlc import FORMAT
from modelwarden.daemon.identify.sniffer import Identity, Shard


def record(number: int, tensors: list[tuple[str, list[int]]], nbytes: int = 100) -> dict[str, object]:
    """One shard as `tvmjs.dump_tensor_cache` lists it."""
    inside = [{"name": "w", "shape": shape, "dtype": dtype, "nbytes": 1, "byteOffset": 0} for dtype, shape in tensors]
    return {"dataPath": f"params_shard_{number}.bin", "format": "raw-shard", "nbytes": nbytes, "records": inside}


def index(*records: object) -> bytes:
    """An index of these shards."""
    return json.dumps({"metadata": {"ParamSize": 3, "BitsPerParam": 16.0}, "records": records}).encode()


def chat(quantization: str = "q0f16") -> bytes:
    """A configuration as gen_config writes it."""
    config = {"version": "0.1.0", "model_type": "llama", "quantization": quantization, "model_config": {}}
    return json.dumps(config).encode()


SHARDS = index(record(0, [("float16", [4, 8]), ("float16", [8])]), record(1, [("float32", [5])]))


def identify(beside: dict[str, bytes], name: str = "params_shard_0.bin", size: int = 100) -> Identity | None:
    """The identity by the format under test."""
    window = Memory(bytes(size), name=name, beside=Shelf(beside))
    return FORMAT.identify(window) if FORMAT.recognises(bytes(64), window.size) else None


@pytest.mark.parametrize("file", ["tensor-cache.json", "ndarray-cache.json"])
def test_says_what_a_shard_is(file: str) -> None:
    """The index has the shapes, the configuration the architecture; the index had another name."""
    assert identify({file: SHARDS, "mlc-chat-config.json": chat()}) == Identity(
        "mlc", None, "llama", 40, "q0f16", tensor_types=(("F16", 40),), shard=Shard(1, 2)
    )


def test_a_shard_counts_its_own() -> None:
    """The second shard has other weights."""
    identity = identify({"tensor-cache.json": SHARDS, "mlc-chat-config.json": chat()}, "params_shard_1.bin")
    assert identity is not None
    assert (identity.parameters, identity.shard) == (5, Shard(2, 2))


def test_packed_weights_are_not_counted() -> None:
    """Four bits a weight: how many are in a number depends on the method."""
    beside = {
        "tensor-cache.json": index(record(0, [("uint32", [4, 8]), ("float16", [4])])),
        "mlc-chat-config.json": chat("q4f16_1"),
    }
    assert identify(beside) == Identity("mlc", None, "llama", None, "q4f16_1")


def test_needs_no_configuration() -> None:
    """The index alone makes it a model."""
    identity = identify({"tensor-cache.json": SHARDS})
    assert identity == Identity("mlc", None, None, None, "F16", shard=Shard(1, 2))


@pytest.mark.parametrize("name", ["params_shard_7.bin", "params_shard_0.bin.part", "shard.bin", ""])
def test_leaves_others_alone(name: str) -> None:
    """A name without an entry, or a file that is called otherwise, is no shard."""
    assert identify({"tensor-cache.json": SHARDS}, name) is None
    assert identify({}, "params_shard_0.bin") is None


def test_sees_a_download_that_stopped() -> None:
    """The index says how long the shard is."""
    identity = identify({"tensor-cache.json": SHARDS}, size=99)
    assert identity is not None
    assert "shorter" in (identity.problem or "")


@pytest.mark.parametrize("shape", [None, 7, "8", [True], [-1], ["8"], [1 << 60, 1 << 60], [10**15, 10**15], [2] * 1000])
def test_survives_lies(shape: object) -> None:
    """Shapes that are none give no count."""
    one = {"dataPath": "params_shard_0.bin", "nbytes": 1, "records": [{"dtype": "float16", "shape": shape}]}
    identity = identify({"tensor-cache.json": index(one), "mlc-chat-config.json": chat()})
    assert identity is not None
    assert identity.parameters is None


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"records": 7}', b'{"records": [7, [], {"dataPath": []}]}', b'{"records":' + b"[" * 100_000]
)
def test_a_broken_index_lists_nothing(data: bytes) -> None:
    """What is no index makes nothing a model."""
    assert identify({"tensor-cache.json": data}) is None


@settings(max_examples=300, deadline=2000)
@given(cache=mutations(SHARDS), config=mutations(chat()))
def test_survives_mutations(cache: bytes, config: bytes) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify({"tensor-cache.json": cache, "mlc-chat-config.json": config})
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
