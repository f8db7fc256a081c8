"""ExLlama: extensions that only it has."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.exllama import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("gen.py", "exllamav2_ext.cpython-311-x86_64-linux-gnu.so", "libtorch_cpu.so"),), 0, 2),
        ((python("gen.py", "exllamav3_ext.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("exllamav2.py"),),
        (python("gen.py", "libtorch_cpu.so"),),
        (native("/tmp/exllamav2_ext", ""),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
