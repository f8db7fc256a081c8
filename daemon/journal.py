"""A journal's lines: the header that says what it is, then one event a line, in the order in which the core heard them.

The lines are JSON of ASCII characters only, so that a name with bytes that are no UTF-8 (lone surrogates, PEP 383)
comes back as it was. Whoever reads a journal takes it from somebody else: no line is trusted.
"""

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

import msgspec

from modelwarden import __version__
from modelwarden.daemon.event import PolicyLoaded, Remembered, Started
from modelwarden.probes import sampled
from modelwarden.probes.event import Event
from modelwarden.probes.wire import snake

JOURNAL = 1
"""What this version writes; a journal with a higher number means something else."""
BEGINNING: tuple[type[Event], ...] = (Started, Remembered, PolicyLoaded)
"""What the core must know before anything else, in this order."""
LINE_MAX = 8 << 20
"""Bytes of a line with its end: a policy file has 1 MiB at most, and JSON writes a byte of it with six."""
REMEMBERED_MAX = 256 << 20
"""Bytes of the one line that holds all that an earlier run has seen."""


class JournalError(ValueError):
    """A journal cannot be read or written; the message is one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line."""

    version: str
    """Of the modelwarden that wrote it."""
    redacted: bool = False
    """Names of people and places are replaced."""


def encode_header(header: Header) -> bytes:
    """The first line of a journal."""
    return _line({"journal": JOURNAL, **msgspec.to_builtins(header)})


def decode_header(line: bytes) -> Header:
    """What the first line says. Raises `JournalError`."""
    try:
        found = _loads(line)
        number = found["journal"]
    except (LookupError, RecursionError, TypeError, ValueError):
        raise JournalError("it is no journal: `modelwarden run --record FILE` writes one") from None
    if not isinstance(number, int) or number != JOURNAL:
        raise JournalError(
            f"it is a journal of kind {str(number)[:20]}, and modelwarden {__version__} reads kind {JOURNAL}: "
            f"use the version that wrote it ({str(found.get('version'))[:40]}), or a newer one"
        )
    try:
        return msgspec.convert(found, Header)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise JournalError(f"its header makes no sense ({error}): the file was edited or damaged") from None


def encode(event: Event) -> bytes:
    """The line of an event. Raises `TypeError` or `ValueError` for what no line can say, which is a mistake of ours.

    Two surrogates that make a pair come back as the one character that they mean; what Python decodes has none.
    """
    line = _line([kind_of(type(event)), msgspec.to_builtins(event)])
    if len(line) > (REMEMBERED_MAX if isinstance(event, Remembered) else LINE_MAX):
        raise ValueError(f"a line of {len(line)} bytes")
    return line


def decode(line: bytes) -> Event:
    """The event of a line. Raises `JournalError` in words that follow the line's number."""
    try:
        found = _loads(line)
    except (RecursionError, ValueError):
        raise JournalError("no JSON: the file was edited or damaged") from None
    match found:
        case [str() as kind, dict() as fields]:
            return _event(kind, fields)
    raise JournalError("no event, which is a list of its kind and its fields: the file was edited or damaged")


def is_remembered(line: bytes) -> bool:
    """Whether a line, or its beginning, is the one that may be long."""
    return line.startswith(f'["{kind_of(Remembered)}",'.encode())


def kind_of(event: type[Event]) -> str:
    """What a journal calls an event: the name that metrics use too."""
    return snake(event.__name__)


@cache
def kinds() -> Mapping[str, type[Event]]:
    """All events there are, by kind. An event is found when the core or a sampled source knows its module."""
    for module in pkgutil.iter_modules(sampled.__path__):
        importlib.import_module(f"{sampled.__name__}.{module.name}")
    importlib.import_module("modelwarden.daemon.pipeline")
    found: dict[str, type[Event]] = {}
    for event in _below(Event):
        # `dataclass(slots=True)` makes the class anew: the one under its module's name is the true one.
        if getattr(sys.modules.get(event.__module__), event.__name__, None) is not event:
            continue
        other = found.setdefault(kind_of(event), event)
        if other is not event:
            raise TypeError(f"{event.__module__} and {other.__module__} both have an event {event.__name__}")
    return found


def _below(event: type[Event]) -> Iterator[type[Event]]:
    for one in event.__subclasses__():
        yield one
        yield from _below(one)


def _event(kind: str, fields: dict[str, Any]) -> Event:
    event = kinds().get(kind)
    if event is None:
        raise JournalError(f"no event is called {kind[:60]!a}: use the version that wrote the journal")
    try:
        made = msgspec.convert(fields, event)
    except (msgspec.ValidationError, UnicodeError, ValueError) as error:
        raise JournalError(
            f"{kind} makes no sense ({ascii(str(error)[:200])[1:-1]}): "
            "use the version that wrote the journal, unless the file was edited"
        ) from None
    surplus = _surplus(fields, msgspec.to_builtins(made))
    if surplus is not None:
        raise JournalError(f"{kind} has no field {surplus[:60]!a}: use the version that wrote the journal")
    return made


def _surplus(given: Any, taken: Any) -> str | None:
    """A field that was given and not taken, wherever it stands: half an event would be another one."""
    if isinstance(given, dict):
        for key, value in given.items():
            if key not in taken:
                return str(key)
            if isinstance(value, dict | list) and (found := _surplus(value, taken[key])) is not None:
                return found
    else:
        for one, other in zip(given, taken, strict=False):
            if isinstance(one, dict | list) and (found := _surplus(one, other)) is not None:
                return found
    return None


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _loads(line: bytes) -> Any:
    return json.loads(line, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
