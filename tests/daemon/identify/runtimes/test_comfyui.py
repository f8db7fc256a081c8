"""ComfyUI: `main.py` with its folder or its options."""

import pytest
from tests.programs import found, native, python, worker

from modelwarden.daemon.identify.runtimes.comfyui import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/home/a/ComfyUI/main.py --listen"),), 0, 1),
        ((python("main.py", called="/home/a/ComfyUI/venv/bin/python"),), 0, 1),
        ((python("main.py --lowvram --preview-method auto", "libtorch_cpu.so"),), 0, 2),
        (
            (
                worker(),
                python("/home/a/ComfyUI/main.py"),
            ),
            1,
            2,
        ),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("main.py"),),
        (python("main.py --port 8188"),),
        (python("main.py", "libtorch_cpu.so"),),
        (python("/home/a/ComfyUI/tests.py"),),
        (native("/usr/bin/vim", "/home/a/ComfyUI/main.py"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
