"""llamafile: by its own file, or through the loader."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.llamafile import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/m/llava.llamafile", "--server -ngl 99"),), 0, 1),
        ((native("/usr/bin/ape", "/m/llava.llamafile"),), 0, 2),
        ((native("/home/a/.ape-1.10", "/m/llava.llamafile --chat"),), 0, 2),
        ((native("/usr/bin/llamafiler", "-m F.gguf -l 0.0.0.0:8080"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/m/sleep.llamafile", "100"),),
        (native("/usr/bin/ape", "/usr/bin/redbean.com"),),
        (native("/usr/bin/file", "/m/llava.llamafile"),),
        (python("/m/llava.llamafile"),),
        (native("/m/x.llamafile (deleted)", ""),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
