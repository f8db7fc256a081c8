"""Names of the parts of a model: those that writers give, and those that claim what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.daemon.identify.reading.shards import COUNT_LIMIT, shard_of
from modelwarden.daemon.identify.sniffer import Shard


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pytorch_model-00001-of-00003.bin", Shard(1, 3)),
        ("model-00002-of-00002.safetensors", Shard(2, 2)),
        ("model-00163-of-000163.safetensors", Shard(163, 163)),
        ("Qwen-7B-Q4_K_M-00009-of-00010.gguf", Shard(9, 10)),
        ("model-00001-of-00002.fp16.safetensors", Shard(1, 2)),
        ("model-00001-of-00002", Shard(1, 2)),
    ],
)
def test_reads_the_part_from_the_name(name: str, expected: Shard) -> None:
    """The number of the part, from 1, with the number of parts."""
    assert shard_of(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "pytorch_model.bin",
        "model-00000-of-00003.bin",
        "model-00004-of-00003.bin",
        "model-00001-of-00001.bin",
        "model-00001-of-10000.bin",
        "model-9999999-of-9999999.bin",
        "model-00001-of-00003-old.bin",
        "model-٠٠٠٠١-of-٠٠٠٠٣.bin",
        "model-00001-of-00003.bin\n/x",
        "x" * 300 + "-00001-of-00003.bin",
    ],
)
def test_leaves_other_names_alone(name: str) -> None:
    """A whole model, a part beyond the last or before the first, a name that no file can have: no part."""
    assert shard_of(name) is None


@given(name=st.text(max_size=300) | st.from_regex(r"-[0-9]*-of-[0-9]*", fullmatch=True))
def test_a_part_lies_within_its_model(name: str) -> None:
    """Whatever the name, a part is one of those that it counts."""
    shard = shard_of(name)
    assert shard is None or 1 <= shard.index <= shard.count <= COUNT_LIMIT
