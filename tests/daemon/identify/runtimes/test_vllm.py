"""The processes of vLLM, by command, module, title or parent."""

import pytest
from tests.programs import SHELL, found, native, python, titled, worker

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.vllm import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/x/bin/vllm serve org/model --port 8000"),), 0, 1),
        ((python("/x/bin/vllm serve m", "libtorch_cpu.so"),), 0, 2),
        ((python("-m vllm.entrypoints.openai.api_server --model m"),), 0, 1),
        ((titled("VLLM::EngineCore"),), 0, 1),
        (
            (
                titled("VLLM::Worker_TP0", "libtorch_cuda.so"),
                titled("VLLM::EngineCore"),
                python("/x/bin/vllm serve m"),
                SHELL,
            ),
            2,
            2,
        ),
        (
            (
                worker(),
                worker(),
                python("/x/bin/vllm serve m"),
                SHELL,
            ),
            2,
            2,
        ),
        (
            (
                python("/x/bin/vllm serve m"),
                python("/x/bin/vllm serve m"),
            ),
            1,
            2,
        ),
        ((python("-m vllm.entrypoints.openai.api_server", image="docker.io/vllm/vllm-openai:v0.9"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("/x/bin/vllm chat"),),
        (native("/tmp/vllm", "100"),),
        (python("serve.py vllm serve"),),
        (python("-m vllmish.entrypoints"),),
        (Program("/usr/bin/sleep", ("VLLM::EngineCore", "9")),),
        (worker(), Program("/usr/bin/sleep", ("VLLM::EngineCore", "9"))),
        (
            worker(),
            python("train.py"),
        ),
        (python("train.py", "libtorch_cpu.so"),),
        (
            native("/usr/bin/nvidia-smi", ""),
            python("/x/bin/vllm serve m"),
        ),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
