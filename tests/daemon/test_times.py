"""Times as the contract writes them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit import NOW_WALL, SECOND

from modelwarden.daemon.times import day_of, from_rfc3339, to_rfc3339

YEAR_9999 = 253_402_300_799 * SECOND


def test_form() -> None:
    """UTC with a Z and six digits; what lies beneath a microsecond is cut."""
    assert to_rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert to_rfc3339(NOW_WALL + 1_999) == "2026-01-01T00:00:00.000001Z"


@given(st.integers(0, YEAR_9999))
def test_what_is_written_is_read(wall_ns: int) -> None:
    """Every time comes back, to the microsecond, and texts sort as times do."""
    text = to_rfc3339(wall_ns)
    assert from_rfc3339(text) == wall_ns // 1000 * 1000
    assert text <= to_rfc3339(wall_ns + 1000)


def test_other_forms_of_the_same_moment() -> None:
    """A fraction may lack, and another zone is converted."""
    assert from_rfc3339("2026-01-01T00:00:00Z") == NOW_WALL
    assert from_rfc3339("2026-01-01T01:00:00+01:00") == NOW_WALL


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", None, 7])
def test_what_is_no_time_is_refused(text: object) -> None:
    """A time without a zone is none: it could mean any hour."""
    with pytest.raises(ValueError, match=r".+"):
        from_rfc3339(text)


def test_day() -> None:
    """The day changes at midnight UTC."""
    assert day_of(NOW_WALL - 1000) == date(2025, 12, 31)
    assert day_of(NOW_WALL) == date(2026, 1, 1)
