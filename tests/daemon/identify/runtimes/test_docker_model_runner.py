"""Docker Model Runner: engines of others behind its sockets."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.docker_model_runner import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/usr/bin/dmr", "serve"),), 0, 1),
        ((native("/app/bin/llama-server", "--model /m --host inference-runner-0.sock"),), 0, 3),
        (
            (
                native("/app/bin/com.docker.llama-server", "--model /m --host /run/inference-runner-1.sock"),
                native("/app/model-runner", ""),
            ),
            1,
            3,
        ),
        ((native("/app/model-runner", "", image="docker.io/docker/model-runner:latest-cuda"),), 0, 2),
        ((native("/app/bin/com.docker.llama-server", "--model /m"),), 0, 1),
        (
            (
                python("-m vllm.entrypoints.openai.api_server --model m"),
                native("/usr/bin/dmr", "serve"),
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
        (native("/tmp/model-runner", ""),),
        (native("/usr/bin/llama-server", "--model /m --port 8080"),),
        (native("/tmp/dmr", "100"),),
        (native("/usr/bin/ls", "inference-runner-0.sock"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
