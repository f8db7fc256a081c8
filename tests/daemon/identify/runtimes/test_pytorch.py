"""PyTorch: its libraries in whatever program."""

import pytest
from tests.programs import SHELL, found, native, python, worker

from modelwarden.daemon.identify.runtimes.pytorch import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("script.py", "libtorch_cpu.so"),), 0, 1),
        ((native("/opt/app", "", "libtorch_cpu.so"),), 0, 1),
        (
            (
                worker(),
                python("script.py", "libtorch_cpu.so"),
                SHELL,
            ),
            1,
            1,
        ),
        (
            (
                worker("libtorch_cpu.so"),
                python("script.py", "libtorch_cpu.so"),
                SHELL,
            ),
            1,
            1,
        ),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("script.py"),),
        (python("pytorch.py libtorch_cpu.so"),),
        (python("script.py", "libtorrent.so"),),
        (native("/tmp/pytorch", ""),),
        (
            native("/usr/bin/id", ""),
            python("script.py", "libtorch_cpu.so"),
        ),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
