"""TensorFlow: its libraries, not those of TensorFlow Lite."""

import pytest
from tests.programs import SHELL, found, native, python, worker

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.tensorflow import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("script.py", "libtensorflow_framework.so.2"),), 0, 1),
        ((native("/opt/app", "", "libtensorflow_framework.so.2"),), 0, 1),
        (
            (
                worker(),
                python("script.py", "libtensorflow_framework.so.2"),
                SHELL,
            ),
            1,
            1,
        ),
        (
            (
                worker("libtensorflow_framework.so.2"),
                python("script.py", "libtensorflow_framework.so.2"),
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
        (python("tensorflow.py libtensorflow_framework.so.2"),),
        (python("script.py", "libtensorflowlite_c.so"),),
        (native("/tmp/tensorflow", ""),),
        (
            native("/usr/bin/id", ""),
            python("script.py", "libtensorflow_framework.so.2"),
        ),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
