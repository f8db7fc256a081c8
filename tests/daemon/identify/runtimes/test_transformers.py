"""Transformers' command line, no script that imports it."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.transformers import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/x/bin/transformers serve --port 8000"),), 0, 1),
        ((python("/x/bin/transformers chat m", "libtorch_cpu.so"),), 0, 2),
        ((python("-m transformers.commands.transformers_cli serve"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("/x/bin/transformers env"),),
        (python("train.py", "libtorch_cpu.so"),),
        (native("/tmp/transformers", "100"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
