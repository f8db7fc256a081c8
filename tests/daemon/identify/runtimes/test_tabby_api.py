"""TabbyAPI: a common name in its folder."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.tabby_api import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/home/a/tabbyAPI/main.py --port 5000"),), 0, 1),
        ((python("start.py", "exllamav2_ext.so", called="/home/a/tabbyAPI/venv/bin/python"),), 0, 2),
        ((python("main.py --cache-mode Q4"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("main.py --port 5000"),),
        (python("start.py", "exllamav2_ext.so"),),
        (native("/usr/bin/less", "/home/a/tabbyAPI/main.py"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
