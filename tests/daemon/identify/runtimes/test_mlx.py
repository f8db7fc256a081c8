"""MLX: its commands and its library."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.mlx import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/x/bin/mlx_lm.server --model m --port 8080"),), 0, 1),
        ((python("-m mlx_lm server --model m", "libmlx.so"),), 0, 2),
        ((python("own.py", "libmlx.so"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("mlx.py"),),
        (native("/tmp/mlx_lm.server", "100"),),
        (python("own.py", "libmlx5.so.1"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
