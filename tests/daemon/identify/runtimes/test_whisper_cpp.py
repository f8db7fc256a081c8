"""whisper.cpp: its programs, old and new, and its library."""

import pytest
from tests.programs import found, native

from modelwarden.daemon.identify.runtimes.runtime import Program
from modelwarden.daemon.identify.runtimes.whisper_cpp import RUNTIME


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((native("/usr/bin/whisper-cli", "-m ggml-base.en.bin -f a.wav"),), 0, 1),
        ((native("/usr/bin/whisper-server", "--port 8080", "libwhisper.so.1"),), 0, 2),
        ((native("/opt/main", "-m models/ggml-base.en.bin -f a.wav"),), 0, 1),
        ((native("/usr/bin/obs", "", "libwhisper.so"),), 0, 1),
        ((native("/usr/bin/whisper-cli", "-f a.wav", "libggml-cpu.so"),), 0, 2),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (native("/usr/bin/whisper-cli", ""),),
        (native("/tmp/whisper-server", "100"),),
        (native("/opt/main", "-m a.gguf"),),
        (native("/opt/stream", ""),),
        (native("/usr/bin/whisper", "-m x"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
