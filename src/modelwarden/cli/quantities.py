"""Quantities as people type or read them: times (`--since`, `3 h ago`), sizes (`4.58 GiB`), amounts (`8.03 B`)."""

import argparse
import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d{1,9})\s*([smhdw])", re.ASCII)


def since(text: str) -> str:
    """RFC 3339 UTC for a time, a date or a duration before now; a time without offset is UTC.

    Raises `argparse.ArgumentTypeError`.
    """
    now = datetime.now(UTC)
    if match := _DURATION.fullmatch(text.strip()):
        try:
            moment = now - timedelta(seconds=int(match[1]) * _UNITS[match[2]])
        except OverflowError:
            moment = datetime.min.replace(tzinfo=UTC)
    else:
        try:
            moment = datetime.fromisoformat(text.strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(
                f"{text[:80]!r} is no time; write 2h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z"
            ) from None
    # isoformat, as strftime would not pad a year before 1000.
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def ago(moment: str | None, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 time was, `-` when it is unknown; what is no time stays as it is."""
    if not moment:
        return "-"
    try:
        passed = ((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):
        return moment
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if passed >= unit:
            return f"{int(passed // unit)} {name} ago"
    return "just now"


def to_the_second(moment: str | None) -> str:
    """An RFC 3339 time without its fraction, `-` when it is unknown."""
    return re.sub(r"\.\d+(?=Z$)", "", moment) if moment else "-"


def size(size_bytes: int | None) -> str:
    """A size in binary units, three digits at most: `4.58 GiB`; `-` when it is unknown."""
    if size_bytes is None:
        return "-"
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} TiB" if value < 1000 else f"{value:.0f} TiB"


def amount(number: int) -> str:
    """A large number as the field writes it, three digits at most: `22.7 M`, `8.03 B` (10^9), `1.5 T`."""
    value = float(min(number, 10**18))  # a file may claim any number; a float and a column have an end
    for unit in ("", " K", " M", " B"):
        if value < 999.5:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g} T" if value < 999.5 else "> 999 T"
