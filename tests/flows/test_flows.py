"""What a real daemon was told once gives what it gave: `tests/flows/accept.py` writes down what is right now."""

from pathlib import Path

import pytest
from tests.flows.journals import FOLDER, JOURNALS, expected, render

from modelwarden.daemon.journal_file import JournalFile


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.name)
def test_a_journal_gives_what_it_gave(path: Path) -> None:
    """Every field of every alert, workload and model."""
    assert render(path) == expected(path).read_text()


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.name)
def test_a_journal_names_nobody(path: Path) -> None:
    """What was recorded here is read everywhere."""
    journal = JournalFile(path)
    assert journal.header.redacted
    assert len(list(journal.events())) > 10
    assert journal.cut is None


def test_each_expectation_has_its_journal() -> None:
    """And there is one at all."""
    assert JOURNALS
    assert {expected(path) for path in JOURNALS} == set(FOLDER.glob("*.expected.json"))
