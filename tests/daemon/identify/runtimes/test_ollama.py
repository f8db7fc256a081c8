"""Ollama: one family through four ways of running a model."""

import pytest
from tests.programs import SHELL, found, native

from modelwarden.daemon.identify.runtimes.ollama import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program

BLOB = "/usr/share/ollama/.ollama/models/blobs/sha256-" + "a" * 64
SERVE = native("/usr/local/bin/ollama", "serve")


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/usr/local/bin/ollama", "serve"),), 0, 1),
        ((native("/usr/local/bin/ollama", "serve", unit="ollama.service"),), 0, 2),
        ((native("/bin/ollama", "serve", image="docker.io/ollama/ollama:0.33.0"),), 0, 2),
        (
            (
                native(
                    "/tmp/ollama123/runners/cuda_v12/ollama_llama_server",
                    f"--model {BLOB} --ctx-size 2048 --port 40001",
                ),
            ),
            0,
            1,
        ),
        (
            (
                native("/tmp/ollama123/runners/cpu/ollama_llama_server", f"--model {BLOB} --port 40001"),
                SERVE,
            ),
            1,
            2,
        ),
        (
            (
                native(
                    "/usr/local/bin/ollama",
                    f"runner --model {BLOB} --ctx-size 8192 --batch-size 512 --parallel 4 --port 4",
                ),
                SERVE,
            ),
            1,
            2,
        ),
        (
            (
                native("/usr/local/bin/ollama", f"runner --ollama-engine --model {BLOB} --port 40001"),
                SERVE,
            ),
            1,
            2,
        ),
        ((native("/usr/local/bin/ollama", "runner --mlx-engine --port 40001", "libggml-base.so"),), 0, 2),
        (
            (
                native("/usr/local/bin/ollama", "runner --port 40001"),
                SERVE,
            ),
            1,
            2,
        ),
        (
            (
                native(
                    "/usr/local/lib/ollama/llama-server",
                    f"--model {BLOB} --port 4 --host 127.0.0.1 --no-webui --offline",
                ),
                SERVE,
            ),
            1,
            3,
        ),
        ((native("/usr/local/lib/ollama/llama-server", f"--model {BLOB} --port 40001"),), 0, 3),
        (
            (
                native("/opt/llama-server", f"--model {BLOB} --port 40001"),
                SERVE,
            ),
            1,
            2,
        ),
        (
            (
                native("/usr/local/lib/ollama/llama-server", "--list-devices"),
                SERVE,
                SHELL,
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
        (
            native("/tmp/ollama", "100"),
            SHELL,
        ),
        (native("/tmp/ollama", ""),),
        (native("/usr/local/bin/ollama", "run llama3.2"),),
        (
            native("/usr/local/bin/ollama", "pull llama3.2"),
            SHELL,
        ),
        (native("/usr/bin/sleep", "serve"),),
        (native("/usr/bin/vim", "ollama serve"),),
        (native("/usr/bin/llama-server", f"--model {BLOB} --port 40001"),),
        (
            native("/usr/bin/llama-server", f"--model {BLOB}"),
            SHELL,
            SERVE,
        ),
        (
            native("/usr/bin/bash", "-c id"),
            SERVE,
        ),
        (native("/tmp/lib/ollama/llama-server", ""),),
        (native("/opt/x", "serve", unit="ollama.service"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None


def test_says_what_was_seen() -> None:
    """The reason is a sentence about signs, not a claim."""
    child = native("/usr/local/lib/ollama/llama-server", f"--model {BLOB} --port 40001")
    found_one = RUNTIME.recognises((child, native("/usr/local/bin/ollama", "serve", unit="ollama.service")))
    assert found_one is not None
    assert found_one.evidence == ("llama-server --model in lib/ollama, started by ollama serve, in ollama.service")
