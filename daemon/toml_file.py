"""Reads one TOML file of ours into its type, and says in one line what is wrong with it."""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from modelwarden.daemon.printable import printable

MAX_BYTES = 1 << 20
"""The largest file that is read, in bytes."""

T = TypeVar("T", bound=msgspec.Struct)
Step = str | int

_AT = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_WORDS = {
    "`object`": "a table",
    "`array`": "a list",
    "`str`": "text",
    "`int`": "a whole number",
    "`bool`": "true or false",
}


class ConfigError(ValueError):
    """A file that cannot be used: the message is one line that names file, key, what is wrong and the next step."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{printable(str(path))}: {printable(what)}")


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of at most `MAX_BYTES`.

    Raises `FileNotFoundError` when there is none (a dangling link is an error instead: somebody
    wanted a file there), `ConfigError` for all else.
    """
    try:
        # O_NONBLOCK: a named pipe must not hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        if path.is_symlink():
            raise ConfigError(path, "is a link to a file that does not exist; make it or remove the link") from None
        raise
    except PermissionError:
        raise ConfigError(path, "may not be read by this user; run as root (sudo) or change its mode") from None
    except (OSError, ValueError) as error:
        raise ConfigError(path, f"cannot be opened ({_reason(error)}); name a readable file") from None
    try:
        # Before a file object is made of it: Python refuses a folder in its own words.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigError(path, "is not a regular file; name a TOML file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(path, f"cannot be read ({_reason(error)})") from None
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise ConfigError(path, f"is larger than {MAX_BYTES} bytes; is it the right file?")
    return data


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def parse(path: Path, data: bytes, kind: type[T]) -> T:
    """The bytes of the file as the type; `ConfigError` when they are not."""
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, f"is not UTF-8 (line {line}); save it as UTF-8") from None
    except RecursionError:
        raise ConfigError(path, "is nested too deep; is it the right file?") from None
    except ValueError as error:  # TOMLDecodeError, and numbers of too many digits
        raise ConfigError(path, f"is not valid TOML: {error}") from None
    for steps, known in _unknown(inspect.type_info(kind), table, ()):
        raise ConfigError(path, _unknown_text(steps, known))
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(path, _invalid_text(str(error))) from None


def _unknown(
    info: inspect.Type, value: object, steps: tuple[Step, ...]
) -> Iterator[tuple[tuple[Step, ...], tuple[str, ...]]]:
    """The keys that the type does not know, each with those that it knows in that place."""
    if isinstance(info, inspect.UnionType):
        for member in info.types:
            yield from _unknown(member, value, steps)
    elif isinstance(info, inspect.StructType) and isinstance(value, Mapping):
        fields = {field.encode_name: field.type for field in info.fields}
        for key, inner in value.items():
            if key in fields:
                yield from _unknown(fields[key], inner, (*steps, key))
            else:
                yield (*steps, key), tuple(fields)
    elif isinstance(info, inspect.VarTupleType | inspect.ListType) and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unknown(info.item_type, inner, (*steps, index))


def _place(steps: tuple[Step, ...]) -> str:
    """A key's place as people write it: `[http] listen`, `models.approved[2].sha256`."""
    if len(steps) == 2 and all(isinstance(step, str) for step in steps):
        return f"[{steps[0]}] {steps[1]}"
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
    return f"[{text}]" if len(steps) == 1 else text


def _unknown_text(steps: tuple[Step, ...], known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(str(steps[-1])[:64], known, n=1)
    sections = len(steps) == 1
    names = [f"[{name}]" if sections else name for name in (close or known)]
    hint = f"did you mean {names[0]}?" if close else f"known here: {', '.join(names)}"
    return f"{_place(steps)} is unknown; {hint}"


def _invalid_text(message: str) -> str:
    """What msgspec says, in words for a person: `[files] large_bytes: expected a whole number, got text`."""
    match = _AT.fullmatch(message)
    what, place = (match["what"], match["path"] or "") if match else (message, "")
    for word, plain in _WORDS.items():
        what = what.replace(word, plain)
    if "RFC3339 encoded date" in what or "`date" in what:
        what = "is not a date; write it without quotes, such as 2027-06-01"
    steps = tuple(int(step["index"]) if step["index"] else step["key"] for step in _STEP.finditer(place))
    what = what[:1].lower() + what[1:]
    if not steps:
        return what
    # Our own checks speak of the key themselves; what msgspec says needs the colon.
    return f"{_place(steps)}{':' if what.startswith(('expected', 'invalid')) else ''} {what}"


def load(path: Path | None, default: Path, kind: type[T]) -> tuple[T | None, bytes]:
    """The file as its type with its bytes; `None` when no file was named and the default one is absent."""
    chosen = default if path is None else path
    try:
        data = read_bytes(chosen)
    except FileNotFoundError:
        if path is None:
            return None, b""
        raise ConfigError(path, "does not exist; name an existing file") from None
    return parse(chosen, data, kind), data


def as_toml(value: Any) -> str:
    """A setting's value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return msgspec.json.encode(value).decode()
        case tuple() | list():
            return f"[{', '.join(as_toml(item) for item in value)}]"
        case _:
            return str(value)
