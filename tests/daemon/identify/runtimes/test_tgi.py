"""Text Generation Inference: three programs whose `comm` is one."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.tgi import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/usr/local/bin/text-generation-launcher", "--model-id m --port 80"),), 0, 1),
        (
            (
                native("/usr/local/bin/text-generation-router", "--port 80 --tokenizer-name m"),
                native("/usr/local/bin/text-generation-launcher", "--model-id m"),
            ),
            1,
            2,
        ),
        ((python("/opt/conda/bin/text-generation-server serve m", "libtorch_cuda.so"),), 0, 2),
        (
            (
                native(
                    "/usr/local/bin/text-generation-launcher",
                    "",
                    image="ghcr.io/huggingface/text-generation-inference:3.3",
                ),
            ),
            0,
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
        (native("/usr/local/bin/text-generation-launcher", ""),),
        (native("/tmp/text-generation-server", "100"),),
        (native("/bin/x", "", image="ghcr.io/huggingface/text-generation-inference:3.3"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
