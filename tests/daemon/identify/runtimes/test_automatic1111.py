"""Stable Diffusion web UI: two common names with its folder or its options."""

import pytest
from tests.programs import found, python

from modelwarden.daemon.identify.runtimes.automatic1111 import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/home/a/stable-diffusion-webui/webui.py --listen"),), 0, 1),
        ((python("launch.py --xformers --api", "libtorch_cpu.so"),), 0, 2),
        ((python("launch.py", called="/home/a/stable-diffusion-webui-forge/venv/bin/python"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("launch.py"),),
        (python("webui.py --port 7860"),),
        (python("launch.py", "libtorch_cpu.so"),),
        (python("/home/a/stable-diffusion-webui/extras.py"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
