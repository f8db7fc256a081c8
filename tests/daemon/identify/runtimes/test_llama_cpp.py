"""llama.cpp: its programs of three generations."""

import pytest
from tests.programs import found, native

from modelwarden.daemon.identify.runtimes.llama_cpp import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/usr/bin/llama-server", "-m F.gguf --host 0.0.0.0 --port 8080 -ngl 99"),), 0, 1),
        ((native("/usr/bin/llama-server", "-m F.gguf", "libllama.so"),), 0, 2),
        ((native("/usr/bin/llama-cli", "-hf user/repo:Q4_K_M -p hello"),), 0, 1),
        ((native("/usr/bin/llama-bench", "--model=F.gguf"),), 0, 1),
        ((native("/usr/bin/llama", "serve -m F.gguf"),), 0, 1),
        ((native("/usr/bin/llama", "cli -hf a/b"),), 0, 1),
        ((native("/usr/bin/llama-server", "--models-dir /m --models-max 2"),), 0, 1),
        (
            (
                native("/usr/bin/llama-server", "-m F.gguf --port 4"),
                native("/usr/bin/llama-server", "--models-dir /m"),
            ),
            1,
            2,
        ),
        ((native("/opt/main", "-m /m/a.Q4_0.gguf -p hi"),), 0, 1),
        ((native("/app/llama-server", "", image="ghcr.io/ggml-org/llama.cpp:server-cuda"),), 0, 2),
        ((native("/usr/bin/rpc-server", "-H 0.0.0.0 -p 50052", "libggml-rpc.so"),), 0, 2),
        ((native("/opt/renamed", "", "libllama.so"),), 0, 1),
        ((native("/home/a/.cache/x/llama-server", "--port 1 -m a", "libllama-common.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/usr/bin/llama-server", ""),),
        (native("/tmp/llama-cli", "100"),),
        (native("/usr/bin/llama", "--help"),),
        (native("/usr/bin/main", "-m x"),),
        (native("/opt/rpc-server", ""),),
        (native("/usr/bin/vim", "llama-server -m F.gguf"),),
        (native("/usr/bin/x", "", "libggml-base.so"),),
        (native("/usr/bin/gpt4all", "", "libllamamodel-mainline-cuda.so"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
