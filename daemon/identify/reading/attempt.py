"""Reads as much of a file as there is, and says in words for a person why that was not all."""

from collections.abc import Callable

from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.sniffer import BudgetSpentError

TOO_LARGE = "it is larger than an inspection reads"
HEADER_TOO_LARGE = "its header is larger than an inspection reads"


def trouble(read: Callable[[], object], too_large: str = TOO_LARGE) -> str | None:
    """Why `read` could not come to its end, `None` when it did; what it has found up to there is the caller's."""
    try:
        read()
    except Damaged as damage:
        return str(damage)
    except BudgetSpentError:
        return too_large
    return None
