"""The order in which formats are asked, and what they are not trusted with."""

import os
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models import BUDGET, Memory, write_gguf

from modelwarden.daemon.identify.reading.window import READ_LIMIT, FileWindow
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window, sniff
from modelwarden.probes.discover import discover


class Fake:
    """A format that answers what it is told."""

    def __init__(self, name: str, identity: Identity | None, *, takes: bool = True) -> None:
        self.name = name
        self.identity = identity
        self.takes = takes

    def recognises(self, head: bytes, size: int) -> bool:  # noqa: ARG002
        """As told."""
        return self.takes

    def identify(self, window: Window) -> Identity | None:  # noqa: ARG002
        """As told."""
        return self.identity


class Greedy(Fake):
    """A format that reads without end."""

    def identify(self, window: Window) -> Identity | None:
        """Read."""
        while True:
            window.read(0, 1 << 20)


FIRST, SECOND = Identity("first"), Identity("second")


def formats() -> tuple[Format, ...]:
    """The real ones."""
    return cast("tuple[Format, ...]", discover("modelwarden.daemon.identify", "FORMAT", skip=("sniffer",)))


def test_takes_the_first_that_identifies() -> None:
    """A format that recognises the head may still find that the file is not its own."""
    known: list[Format] = [
        Fake("blind", FIRST, takes=False),
        Fake("mistaken", None),
        Fake("second", SECOND),
        Fake("third", FIRST),
    ]
    assert sniff(Memory(b"data"), known) == SECOND


def test_spent_budget_is_a_problem() -> None:
    """A format that reads too much leaves an identity with a problem."""
    identity = sniff(Memory(bytes(2 << 20)), [Greedy("greedy", None)])
    assert identity is not None
    assert identity.format == "greedy"
    assert identity.problem is not None


@pytest.mark.parametrize("data", [b"", b"\0", b"\x7fELF" + bytes(200), b"plain text " * 20, bytes(100_000)])
def test_most_files_are_no_models(data: bytes) -> None:
    """Empty files, programs and texts are recognised by none."""
    assert sniff(Memory(data), formats()) is None


def test_real_formats_are_found() -> None:
    """Discovery finds each format by its file."""
    assert {"gguf", "safetensors", "pytorch-zip"} <= {found.name for found in formats()}


@given(data=st.binary(max_size=200), head=st.sampled_from([b"", b"GGUF\3\0\0\0", b"PK\3\4", b"\x20" + bytes(7) + b"{"]))
def test_noise_is_survived(data: bytes, head: bytes) -> None:
    """No content makes a format raise."""
    sniff(Memory(head + data), formats())


def test_window_reads_a_file(tmp_path: Path) -> None:
    """Reads are short at the end, empty behind it, and refused beyond the budget."""
    path = write_gguf(tmp_path / "m.gguf")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = path.stat().st_size
        window = FileWindow(descriptor, size, BUDGET)
        assert window.size == size
        assert window.read(0, 4) == b"GGUF"
        assert len(window.read(size - 3, 100)) == 3
        assert window.read(1 << 70, 1) == b""
        assert window.read(-1, 10) == b""
        assert window.read(0, -1) == b""
        with pytest.raises(BudgetSpentError):
            FileWindow(descriptor, size, 10).read(0, 11)
        with pytest.raises(BudgetSpentError):
            FileWindow(descriptor, 1 << 60, 1 << 60).read(0, READ_LIMIT + 1)
        # It was truncated after it was measured.
        assert FileWindow(descriptor, size + 1000, BUDGET).read(size, 10) == b""
    finally:
        os.close(descriptor)
