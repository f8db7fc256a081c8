"""How the daemon speaks: readable lines on a terminal, JSON lines anywhere else, hostile names harmless in both."""

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, TextIO

import structlog

from modelwarden.daemon.printable import printable, well_formed

_MARKS = {"warning": "!", "error": "!!", "critical": "!!"}


def configure(stream: TextIO = sys.stdout) -> None:
    """Sets structlog up for this process."""
    render = _readable if stream.isatty() else _json_line
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )


def _json_line(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> str:
    return json.dumps({key: well_formed(v) if isinstance(v, str) else v for key, v in entry.items()}, default=repr)


def _readable(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> str:
    fields = {key: printable(v) if isinstance(v, str) else v for key, v in entry.items()}
    moment = datetime.fromisoformat(fields.pop("timestamp")).astimezone().strftime("%H:%M:%S")
    level, message = fields.pop("level"), fields.pop("event")
    text = _READABLE[message](fields) if message in _READABLE else _plain(message, fields)
    return " ".join(part for part in (moment, _MARKS.get(level), text) if part)


def _plain(message: str, fields: dict[str, Any]) -> str:
    pairs = [f"{key}={value}" for key, value in fields.items() if value is not None]
    return "  ".join([message.replace("_", " "), *pairs])


def _model_opened(fields: dict[str, Any]) -> str:
    facts = [fields["format"] or "not identified", fields["architecture"], fields["quantization"]]
    if fields["parameters"] is not None:
        facts.append(f"{short(fields['parameters'], 1000).strip()} parameters")
    facts.append(f"{short(fields['size'], 1024)}B")
    name = fields["name"] or fields["path"].rpartition("/")[2]
    line = f"model opened  {name} ({', '.join(fact for fact in facts if fact)})"
    line += f"  {_who(fields)}  {fields['path']}"
    return f"{line}  ({fields['reason']})" if fields["reason"] else line


def _file_changed(fields: dict[str, Any]) -> str:
    where = fields["path"] if fields["source"] is None else f"{fields['source']} -> {fields['path']}"
    parts = [f"file changed  {fields['action']} {where}"]
    if fields["model"] is not None:
        parts.append(f"(model {fields['model']})")
    parts.append(_who(fields))
    if "repeated" in fields:
        parts.append(f"{fields['repeated']} times more")
    return "  ".join(parts)


def _who(fields: dict[str, Any]) -> str:
    user = fields["user"] or "?"
    if fields["login_user"] not in {None, fields["user"]}:
        user += f" (logged in as {fields['login_user']})"
    return f"by {fields['exe'] or '?'} [{fields['pid']}]  user {user}"


_READABLE = {"model_opened": _model_opened, "file_changed": _file_changed}


def short(value: int, base: int) -> str:
    """A count or a size with three digits and its prefix: `7.24 G`, `637 Mi`."""
    number, prefixes = float(value), ["", "K", "M", "G", "T"]
    while number >= base and len(prefixes) > 1:
        number /= base
        prefixes.pop(0)
    digits = f"{number:.3g}" if number < 999.5 else f"{number:.0f}"
    return f"{digits} {prefixes[0]}{'i' if base == 1024 and prefixes[0] else ''}"
