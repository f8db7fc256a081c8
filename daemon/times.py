"""Times as the contract writes them: RFC 3339 in UTC, from and to nanoseconds since 1970."""

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_rfc3339(wall_ns: int) -> str:
    """`2026-11-23T04:05:06.123456Z`; what lies beneath a microsecond is cut."""
    moment = _EPOCH + timedelta(microseconds=wall_ns // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_rfc3339(text: object) -> int:
    """Nanoseconds since 1970; `ValueError` for what is no such time."""
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError(f"{text} does not say its time zone")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def day_of(wall_ns: int) -> date:
    """The UTC day of a time."""
    return (_EPOCH + timedelta(microseconds=wall_ns // 1000)).date()
