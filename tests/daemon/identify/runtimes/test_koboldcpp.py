"""KoboldCpp: one file that runs twice, or a script."""

import pytest
from tests.programs import SHELL, found, native, python

from modelwarden.daemon.identify.runtimes.koboldcpp import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/home/a/koboldcpp-linux-x64", "--model F.gguf --usecublas --gpulayers 99"),), 0, 1),
        (
            (
                native("/home/a/koboldcpp-linux-x64", "--model F.gguf"),
                native("/home/a/koboldcpp-linux-x64", "--model F.gguf"),
                SHELL,
            ),
            1,
            2,
        ),
        ((native("/home/a/koboldcpp-linux-x64", "", "koboldcpp_cublas.so"),), 0, 2),
        ((python("koboldcpp.py --model F.gguf"),), 0, 1),
        ((python("koboldcpp.py F.gguf", "koboldcpp_default.so"),), 0, 2),
        ((native("/tmp/renamed", "", "koboldcpp_vulkan.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/tmp/koboldcpp", "100"),),
        (native("/usr/bin/less", "koboldcpp.py --model x.gguf"),),
        (python("koboldcpp.py"),),
        (python("kobold.py --model F.gguf"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
