"""Events of every kind, made up from the types of their fields, so that a new one needs no line here."""

import re
import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any

import msgspec
from hypothesis import strategies as st

from modelwarden.daemon.journal import kinds
from modelwarden.probes.event import Event

Texts = Callable[[str, str], st.SearchStrategy[str]]
"""Texts for a field: by its owner's name and its own."""

KEYS = ("id", "path", "paths", "exe", "cmdline", "user", "why", "processes", "models", "reason", "subject")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

ANY_TEXT = st.text(st.characters(exclude_categories=())).filter(lambda text: _PAIR.search(text) is None)
"""Lone surrogates too; two that make a pair are one character to JSON."""


def any_text(_owner: str, _name: str) -> st.SearchStrategy[str]:
    """Texts without any bounds."""
    return ANY_TEXT


def events(texts: Texts = any_text) -> st.SearchStrategy[Event]:
    """Any event there is."""
    return st.sampled_from(sorted(kinds())).flatmap(lambda kind: event(kinds()[kind], texts))


def event(kind: type[Event], texts: Texts = any_text) -> st.SearchStrategy[Event]:
    """Events of one kind."""
    return typing.cast("st.SearchStrategy[Event]", values(kind, texts))


def values(hint: Any, texts: Texts, owner: str = "", name: str = "") -> st.SearchStrategy[Any]:  # noqa: PLR0911
    """Values of a type; `TypeError` for one that nobody has thought of yet."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return values(arguments[0], texts, owner, name)
    if origin in {types.UnionType, typing.Union}:
        return st.one_of(*(values(one, texts, owner, name) for one in arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0], texts, owner, name), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(one, texts, owner, name) for one in arguments))
    if origin is frozenset:
        return st.frozensets(values(arguments[0], texts, owner, name), max_size=3)
    if origin is dict:
        return st.dictionaries(st.sampled_from(KEYS) | texts(name, ""), anything(texts, name), max_size=4)
    if not isinstance(hint, type):
        raise TypeError(f"{owner}.{name} is {hint}: say here how such a value is made up")
    if is_dataclass(hint) or issubclass(hint, msgspec.Struct):
        return structure(hint, texts)
    return plain(hint, texts, owner, name)


def plain(hint: type, texts: Texts, owner: str, name: str) -> st.SearchStrategy[Any]:
    """Values of a type that has no parts."""
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    made: dict[type, st.SearchStrategy[Any]] = {
        str: texts(owner, name),
        bool: st.booleans(),
        int: st.integers(-(1 << 63), (1 << 64) - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        date: st.dates(),
        type(None): st.none(),
    }
    return made[hint]


def structure(hint: type, texts: Texts) -> st.SearchStrategy[Any]:
    """Values of a class with fields; what it refuses is made up again."""
    hints = typing.get_type_hints(hint, include_extras=True)
    names = hint.__struct_fields__ if issubclass(hint, msgspec.Struct) else [one.name for one in fields(hint)]
    made = st.fixed_dictionaries({name: values(hints[name], texts, hint.__name__, name) for name in names})
    return made.map(lambda given: attempt(hint, given)).filter(lambda one: one is not None)


def attempt(hint: type, given: dict[str, Any]) -> Any:
    """The value, `None` when the class refuses it."""
    try:
        return hint(**given)
    except ValueError:
        return None


def anything(texts: Texts, owner: str) -> st.SearchStrategy[Any]:
    """What a document may hold."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        leaves | texts(owner, ""),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
        max_leaves=6,
    )
