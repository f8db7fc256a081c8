"""The servers and commands around faster-whisper."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.faster_whisper import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("-m wyoming_faster_whisper --model tiny --uri tcp://0.0.0.0:10300"),), 0, 1),
        ((python("/x/bin/whisper-ctranslate2 a.mp3 --model medium", "libctranslate2-a1b2.so.4"),), 0, 2),
        ((python("/x/bin/uvicorn --factory speaches.main:create_app"),), 0, 1),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("transcribe.py", "libctranslate2.so.4"),),
        (python("/x/bin/uvicorn app:app"),),
        (native("/tmp/whisper-ctranslate2", "100"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
