"""GPT4All: the program in its folder, and its libraries anywhere."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.gpt4all import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/home/a/gpt4all/bin/chat", ""),), 0, 1),
        ((native("/home/a/gpt4all/bin/chat", "", "libllmodel.so"),), 0, 2),
        ((python("ask.py", "libllmodel.so"),), 0, 2),
        ((native("/x", "", "libllamamodel-mainline-cuda.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/usr/bin/gpt4all", ""),),
        (native("/usr/bin/chat", "100"),),
        (python("gpt4all.py"),),
        (native("/usr/bin/x", "", "libllama.so"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
