"""TensorFlow Lite: its libraries, not those of TensorFlow."""

import pytest
from tests.programs import SHELL, found, native, python, worker

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.tflite import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("script.py", "libtensorflowlite_c.so"),), 0, 1),
        ((native("/opt/app", "", "libtensorflowlite_c.so"),), 0, 1),
        (
            (
                worker(),
                python("script.py", "libtensorflowlite_c.so"),
                SHELL,
            ),
            1,
            1,
        ),
        (
            (
                worker("libtensorflowlite_c.so"),
                python("script.py", "libtensorflowlite_c.so"),
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
        (python("tflite.py libtensorflowlite_c.so"),),
        (python("script.py", "libtensorflow_framework.so.2"),),
        (native("/tmp/tflite", ""),),
        (
            native("/usr/bin/id", ""),
            python("script.py", "libtensorflowlite_c.so"),
        ),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
