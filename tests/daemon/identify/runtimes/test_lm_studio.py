"""LM Studio: the desktop program, its daemon and its command line."""

import pytest
from tests.programs import found, native

from modelwarden.daemon.identify.runtimes.lm_studio import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/tmp/.mount_LM-StuAbCdEf/lm-studio", "--no-sandbox"),), 0, 1),
        (
            (
                native("/tmp/.mount_LM-StuAbCdEf/lm-studio", "--type=utility"),
                native("/tmp/.mount_LM-StuAbCdEf/lm-studio", ""),
            ),
            1,
            2,
        ),
        ((native("/opt/LM Studio/lm-studio", "", "libllama.so"),), 0, 2),
        ((native("/home/a/.lmstudio/llmster/0.1/llmster", ""),), 0, 1),
        ((native("/usr/bin/lms", "server start --bind 0.0.0.0 --port 1234"),), 0, 1),
        ((native("/usr/bin/lms", "daemon up"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/tmp/lm-studio", ""),),
        (native("/usr/bin/lms", "ls"),),
        (native("/tmp/llmster", "100"),),
        (native("/usr/bin/ls", "/opt/LM Studio/lm-studio"),),
        (native("/tmp/.mount_LM-StuAbCdEf/bash", ""),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
