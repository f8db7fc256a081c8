"""text-generation-webui: `server.py` in its folder, and the server that it starts."""

import pytest
from tests.programs import SHELL, found, native, python

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.text_generation_webui import RUNTIME

WHEEL = "/home/a/env/lib/python3.11/site-packages/llama_cpp_binaries/bin/llama-server"


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("server.py --api", called="/home/a/text-generation-webui/installer_files/env/bin/python"),), 0, 1),
        ((python("/home/a/text-generation-webui/server.py --listen", "libtorch_cpu.so"),), 0, 2),
        ((python("server.py --loader llama.cpp --gpu-layers 99"),), 0, 1),
        (
            (
                native(WHEEL, "--model F.gguf --port 4 --no-webui"),
                python("/home/a/text-generation-webui/server.py"),
            ),
            1,
            3,
        ),
        (
            (
                native(WHEEL, "--model F.gguf --port 4"),
                SHELL,
            ),
            0,
            3,
        ),
        (
            (
                native("/opt/llama-server", "--model F.gguf"),
                python("/home/a/text-generation-webui/server.py"),
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
        (python("server.py"),),
        (python("server.py --port 7860 --share"),),
        (python("server.py", "libtorch_cpu.so"),),
        (native("/usr/bin/llama-server", "--model F.gguf"),),
        (native("/usr/bin/vim", "/home/a/text-generation-webui/server.py"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
