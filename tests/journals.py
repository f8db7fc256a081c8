"""Journals as files, for tests that read one."""

from pathlib import Path

from tests.kit import NOW, started

from modelwarden import __version__
from modelwarden.daemon.event import PolicyLoaded, Remembered
from modelwarden.daemon.journal import Header, encode, encode_header
from modelwarden.daemon.journal_file import create
from modelwarden.daemon.policy import Policy
from modelwarden.probes.event import Event

BEGINNING = (started(), Remembered(NOW, (), (), ()), PolicyLoaded(NOW, Policy(), "none"))
"""What stands before everything else."""


def write(path: Path, *events: Event, beginning: tuple[Event, ...] = BEGINNING) -> Path:
    """A journal with these events behind its beginning."""
    with create(path) as file:
        file.write(encode_header(Header(__version__)) + b"".join(map(encode, (*beginning, *events))))
    return path
