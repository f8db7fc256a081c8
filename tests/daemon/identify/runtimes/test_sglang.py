"""SGLang: its server, and the processes with its titles."""

import pytest
from tests.programs import found, native, python, titled, worker

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.sglang import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("-m sglang.launch_server --model-path m --port 30000"),), 0, 1),
        ((python("/x/bin/sglang serve --model-path m"),), 0, 1),
        (
            (
                titled("sglang::scheduler_TP0", "libtorch_cuda.so"),
                python("-m sglang.launch_server --model-path m"),
            ),
            1,
            2,
        ),
        ((titled("sglang::detokenizer"),), 0, 1),
        (
            (
                worker(),
                python("-m sglang.launch_server --model-path m"),
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
        (python("-m sglang_tools.x"),),
        (native("/usr/bin/sglang", "100"),),
        (Program("/usr/bin/sleep", ("sglang::scheduler", "9")),),
        (python("launch_server.py"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
