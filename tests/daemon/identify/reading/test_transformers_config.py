"""The configuration beside the weights: what real ones say, and what a hostile one cannot do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models import Shelf

from modelwarden.daemon.identify.reading import transformers_config
from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT
from modelwarden.daemon.identify.reading.transformers_config import Config

LLAMA = {
    "_name_or_path": "meta-llama/Llama-3.2-1B",
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "torch_dtype": "bfloat16",
}


def read(document: object) -> Config | None:
    """What a folder with this configuration says."""
    return transformers_config.read(Shelf({"config.json": json.dumps(document).encode()}))


def test_reads_architecture_and_name() -> None:
    """The class that is built, and the repository that it came from."""
    assert read(LLAMA) == Config("LlamaForCausalLM", "meta-llama/Llama-3.2-1B")


@pytest.mark.parametrize(
    ("document", "expected"),
    [({"_class_name": "UNet2DConditionModel"}, "UNet2DConditionModel"), ({"model_type": "bert"}, "bert"), ({}, None)],
)
def test_takes_the_next_best_architecture(document: object, expected: str | None) -> None:
    """In diffusers the class is named elsewhere; the type of a model is better than nothing."""
    assert read(document) == Config(expected)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("gpt2", "gpt2"),
        ("/home/dana/runs/my-llama/", "my-llama"),
        ("./checkpoint-500", "checkpoint-500"),
        ("/root/.cache/huggingface/hub/models--x--y/snapshots/0123456789abcdef0123456789abcdef01234567", None),
        ("", None),
        ("/", None),
        ("..", None),
        (7, None),
    ],
)
def test_takes_no_path_for_a_name(path: object, expected: str | None) -> None:
    """Of a path on somebody's machine the last part is the name, unless it is a commit."""
    assert read({"_name_or_path": path}) == Config(name=expected)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptq-4bit"),
        ({"quant_method": "awq", "w_bit": 4}, "awq-4bit"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False}, "bitsandbytes-4bit"),
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "gptq", "bits": 10**40}, "gptq"),
        ({"quant_method": "gptq", "bits": True}, "gptq"),
        ({"bits": 4}, None),
        ("gptq", None),
    ],
)
def test_reads_the_quantization(section: object, expected: str | None) -> None:
    """The method with the bits of a weight, as far as they are said and can be."""
    assert read({"quantization_config": section}) == Config(quantization=expected)


@pytest.mark.parametrize(("value", "expected"), [({"AutoModel": "modeling_x.X"}, True), ({}, False), (None, False)])
def test_tells_of_code_in_the_repository(value: object, *, expected: bool) -> None:
    """Classes in the repository's own Python files are code that loading may run."""
    assert read({"auto_map": value}) == Config(has_remote_code=expected)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe{}",
        b"[1]",
        b'{"architectures": ["X"]',
        b'{"a":' * 100_000,
        b"[" * DOCUMENT_LIMIT,
        b'{"bits": ' + b"9" * 100_000 + b"}",
        b'{"architectures": ["X"]}' + b" " * DOCUMENT_LIMIT,
    ],
    ids=["empty", "no text", "list", "cut", "nested objects", "nested lists", "long number", "too large"],
)
def test_unreadable_says_nothing(data: bytes) -> None:
    """No text, no JSON, no object, nesting without end, a document beyond the limit."""
    assert transformers_config.read(Shelf({"config.json": data})) is None


def test_no_configuration_says_nothing() -> None:
    """Most files have none beside them."""
    assert transformers_config.read(Shelf()) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["architectures", "_name_or_path", "quantization_config", "auto_map", "_class_name"])


@given(document=st.dictionaries(KEYS, JSON | st.fixed_dictionaries({"quant_method": JSON, "bits": JSON})))
def test_survives_any_values(document: object) -> None:
    """Whatever stands under the keys, claims are short text that can be encoded, or nothing."""
    config = read(document)
    assert config is not None
    for claim in (config.architecture, config.name, config.quantization):
        assert claim is None or 0 < len(claim.encode()) < 1000
