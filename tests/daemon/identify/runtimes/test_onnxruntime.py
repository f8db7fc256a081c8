"""ONNX Runtime: its libraries in whatever program."""

import pytest
from tests.programs import found, known_by, not_known_by

from modelwarden.daemon.identify.runtimes.onnxruntime import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program

LIBRARY = "libonnxruntime.so.1.22.0"


@pytest.mark.parametrize(("lineage", "head", "strength"), known_by(LIBRARY))
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize("lineage", not_known_by(LIBRARY, "onnxruntime", "libonnx.so"))
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
