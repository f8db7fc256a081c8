"""LocalAI: the server, and backends of others that it starts."""

import pytest
from tests.programs import SHELL, found, native, python

from modelwarden.daemon.identify.runtimes.local_ai import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/usr/local/bin/local-ai", "run --address :8080"),), 0, 1),
        (
            (
                native("/usr/local/bin/local-ai", "--debug run"),
                SHELL,
            ),
            0,
            1,
        ),
        ((native("/usr/local/bin/local-ai", "", image="localai/localai:latest-gpu-nvidia-cuda-12"),), 0, 2),
        (
            (
                native("/b/llama-cpp/lib/ld.so", "/b/llama-cpp/llama-cpp-avx2 --addr 127.0.0.1:4"),
                native("/usr/local/bin/local-ai", "run"),
            ),
            1,
            2,
        ),
        ((native("/b/llama-cpp/llama-cpp-fallback", "--addr 127.0.0.1:4", "libggml-base.so"),), 0, 2),
        (
            (
                python("/b/diffusers/backend.py --addr 127.0.0.1:4"),
                native("/usr/local/bin/local-ai", ""),
            ),
            1,
            2,
        ),
        (
            (
                native("/b/whisper/whisper", "--addr 127.0.0.1:4"),
                native("/usr/local/bin/local-ai", "run"),
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
        (native("/tmp/local-ai", ""),),
        (native("/tmp/local-ai", "100"),),
        (native("/tmp/local-ai", "--addr 127.0.0.1:4"),),
        (python("backend.py --addr 127.0.0.1:4"),),
        (
            native("/b/whisper/whisper", "--addr 127.0.0.1:4"),
            SHELL,
        ),
        (
            native("/usr/bin/id", ""),
            native("/usr/local/bin/local-ai", "run"),
        ),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
