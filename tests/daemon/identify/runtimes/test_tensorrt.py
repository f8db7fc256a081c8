"""TensorRT: its libraries in whatever program."""

import pytest
from tests.programs import SHELL, found, native, python, worker

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.tensorrt import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("script.py", "libnvinfer_plugin.so.10"),), 0, 1),
        ((native("/opt/app", "", "libnvinfer_plugin.so.10"),), 0, 1),
        (
            (
                worker(),
                python("script.py", "libnvinfer_plugin.so.10"),
                SHELL,
            ),
            1,
            1,
        ),
        (
            (
                worker("libnvinfer_plugin.so.10"),
                python("script.py", "libnvinfer_plugin.so.10"),
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
        (python("tensorrt.py libnvinfer_plugin.so.10"),),
        (python("script.py", "libnvidia-ml.so.1"),),
        (native("/tmp/tensorrt", ""),),
        (
            native("/usr/bin/id", ""),
            python("script.py", "libnvinfer_plugin.so.10"),
        ),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
