"""Triton: the server, its library and its stubs."""

import pytest
from tests.programs import found, native

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.triton import RUNTIME

STUB = "/opt/tritonserver/backends/python/triton_python_backend_stub"


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/opt/tritonserver/bin/tritonserver", "--model-repository=/models"),), 0, 1),
        ((native("/opt/tritonserver/bin/tritonserver", "", "libtritonserver.so"),), 0, 2),
        ((native(STUB, "/models/a/1/model.py triton_python_backend_shm_region_7 1048576"),), 0, 1),
        (
            (
                native(STUB, "x"),
                native("/opt/tritonserver/bin/tritonserver", "--model-repository /models"),
            ),
            1,
            2,
        ),
        ((native("/opt/own", "", "libtritonserver.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/tmp/tritonserver", "100"),),
        (native(STUB, "x"),),
        (native("/usr/bin/ls", "--model-repository /models"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
