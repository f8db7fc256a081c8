"""What keeps a file from being read to its end is told, once for all formats."""

import pytest

from modelwarden.daemon.identify.reading.attempt import HEADER_TOO_LARGE, TOO_LARGE, trouble
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.sniffer import BudgetSpentError


def fails(error: Exception) -> None:
    """A reading that meets this."""
    raise error


def test_nothing_is_wrong() -> None:
    """A reading that comes to its end has no trouble, whatever it gives."""
    assert trouble(lambda: False) is None


def test_damage_is_told_in_its_words() -> None:
    """The parser knows best."""
    assert trouble(lambda: fails(Damaged("it ends early"))) == "it ends early"


def test_what_is_too_large() -> None:
    """The budget is the inspection's, so the words are the format's."""
    assert trouble(lambda: fails(BudgetSpentError())) == TOO_LARGE
    assert trouble(lambda: fails(BudgetSpentError()), HEADER_TOO_LARGE) == HEADER_TOO_LARGE


def test_a_mistake_of_ours_is_not_hidden() -> None:
    """Anything else is for the guard of the worker, which names the place."""
    with pytest.raises(ZeroDivisionError):
        trouble(lambda: fails(ZeroDivisionError()))
