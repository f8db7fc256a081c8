"""OpenVINO Model Server."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.ovms import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/ovms/bin/ovms", "--config_path /c.json --port 9000"),), 0, 1),
        ((native("/ovms/bin/ovms", "--model_path /m --model_name m", "libopenvino.so.2025.1.0"),), 0, 2),
        ((native("/ovms/bin/ovms", "", image="openvino/model_server:latest"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/tmp/ovms", "100"),),
        (native("/tmp/ovms", "--port 9000"),),
        (python("own.py", "libopenvino.so.2025.1.0"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
