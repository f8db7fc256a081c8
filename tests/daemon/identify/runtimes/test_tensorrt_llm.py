"""TensorRT-LLM: its commands and its library."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.tensorrt_llm import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/x/bin/trtllm-serve serve m --port 8000"),), 0, 1),
        ((python("/x/bin/trtllm-serve m --backend pytorch", "libtensorrt_llm.so"),), 0, 2),
        ((python("/x/bin/trtllm-build --checkpoint_dir c", "libnvinfer.so.10"),), 0, 2),
        ((python("own.py", "libtensorrt_llm.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("/x/bin/trtllm-serve"),),
        (python("own.py", "libnvinfer.so.10"),),
        (native("/tmp/trtllm-serve", "100"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
