"""RamaLama: itself, the engine that it becomes, and what runs in its image."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.ramalama import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/usr/bin/ramalama serve granite"),), 0, 1),
        ((python("/usr/bin/ramalama --debug --engine docker run granite"),), 0, 1),
        (
            (
                native(
                    "/usr/bin/podman",
                    "run --rm --label ai.ramalama --cap-drop=all quay.io/ramalama/cuda llama-server --port 8080",
                ),
            ),
            0,
            1,
        ),
        (
            (
                native(
                    "/usr/bin/llama-server",
                    "--host 0.0.0.0 --port 8080 --model /mnt/models/m",
                    "libllama.so",
                    image="quay.io/ramalama/cuda:0.24",
                ),
            ),
            0,
            3,
        ),
        (
            (
                native("/usr/bin/llama-server", "--port 8080 -m m"),
                python("/usr/bin/ramalama --nocontainer serve m"),
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
        (python("/usr/bin/ramalama list"),),
        (native("/usr/bin/podman", "run --rm docker.io/nginx"),),
        (native("/usr/bin/llama-server", "--port 8080 -m m"),),
        (native("/usr/bin/bash", "", image="quay.io/ramalama/cuda:0.24"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
