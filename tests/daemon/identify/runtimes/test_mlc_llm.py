"""MLC-LLM: its command line and its library."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.mlc_llm import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/x/bin/mlc_llm serve HF://mlc-ai/m"),), 0, 1),
        ((python("-m mlc_llm serve m", "libmlc_llm_module.so"),), 0, 2),
        ((native("/opt/app", "", "libmlc_llm.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/tmp/mlc_llm", "100"),),
        (python("mlc.py serve"),),
        (python("own.py", "libtvm.so"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
