"""Jan: its server below its data, whoever is found to have started it."""

import pytest
from tests.programs import found, native

from modelwarden.daemon.identify.runtimes.jan import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program

SERVER = "/home/a/.local/share/Jan/data/llamacpp/backends/b6000/linux-cuda-12-x64/build/bin/llama-server"


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native(SERVER, "--models-preset /p/router.preset.ini --models-max 2"),), 0, 3),
        (
            (
                native(SERVER, "-m /m/model.gguf --port 4"),
                native("/usr/bin/Jan", ""),
            ),
            1,
            3,
        ),
        (
            (
                native(SERVER, "--port 4"),
                native(SERVER, "--models-preset p"),
                native("/tmp/.mount_JanAbCdEf/usr/bin/Jan", ""),
            ),
            2,
            3,
        ),
        ((native("/tmp/.mount_JanAbCdEf/usr/bin/Jan", ""),), 0, 1),
        ((native("/usr/bin/jan", "serve --port 6767"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/usr/bin/Jan", ""),),
        (native("/usr/bin/jan", "100"),),
        (native("/usr/bin/llama-server", "-m F.gguf"),),
        (
            native("/usr/bin/llama-server", "-m F.gguf"),
            native("/usr/bin/Jan", ""),
        ),
        (native("/home/a/.local/share/Jan/data/llamacpp/backends/b1/ls", ""),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
