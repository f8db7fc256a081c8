"""llama-cpp-python: the library in Python."""

import pytest
from tests.programs import found, native, python, worker

from modelwarden.daemon.identify.runtimes.llama_cpp_python import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("-m llama_cpp.server --model F.gguf"),), 0, 1),
        ((python("-m llama_cpp.server --model F.gguf", "libllama.so"),), 0, 2),
        ((python("chat.py", "libllama.so"),), 0, 2),
        (
            (
                worker(),
                python("chat.py", "libllama.so"),
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
        (native("/usr/bin/llama-server", "-m F.gguf", "libllama.so"),),
        (python("llama_cpp.server"),),
        (python("chat.py"),),
        (python("chat.py", "libggml-base.so"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
