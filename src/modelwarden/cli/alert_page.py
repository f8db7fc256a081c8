"""One alert as a page that a person understands in a minute."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from modelwarden.cli.quantities import size, to_the_second
from modelwarden.cli.terminal import BOLD, SEVERITY_COLOURS, Terminal
from modelwarden.daemon.printable import printable

if TYPE_CHECKING:
    from modelwarden.daemon.snapshot import Document
    from modelwarden.daemon.state import Mark

_PROSE_WIDTH = 100


def alert_page(alert: "Document", mark: "Mark", terminal: Terminal, why: str | None = None) -> str:
    """Title, who and what, the timeline, why it matters and what to do; `why` is the rule's description."""
    severity = str(alert.get("severity"))
    level = terminal.paint(severity.upper(), SEVERITY_COLOURS.get(severity))
    title = terminal.paint(_text(alert.get("title") or alert.get("rule")), BOLD)
    lines = [
        f"{level}  {title}",
        "",
        *_facts(_head(alert, mark)),
        *_section("Process", _facts(_process(alert.get("process") or {})), terminal),
        *_section("Model", _facts(_model(alert.get("model") or {})), terminal),
        *_section("Timeline", _timeline(alert), terminal),
        *_section("Why", _prose(why or _reasons(alert), terminal), terminal),
        *_section("What to do", _prose(_text(alert.get("what_to_do"), ""), terminal), terminal),
    ]
    return "\n".join(lines)


def _head(alert: "Document", mark: "Mark") -> Iterator[tuple[str, Any]]:
    status = str(mark.status)
    if mark.at:
        status += f" since {mark.at}: {mark.reason or ''}"
    yield "alert", alert.get("id")
    yield "rule", alert.get("rule")
    yield "status", status
    yield "subject", alert.get("subject")
    yield "workload", alert.get("workload")
    yield "tier", alert.get("tier")
    yield "host", alert.get("host_id")
    yield "techniques", ", ".join(map(str, alert.get("techniques") or ()))
    first, last = to_the_second(alert.get("first_seen")), to_the_second(alert.get("last_seen"))
    yield "seen", f"{alert.get('count')} times, {first} to {last}"


def _process(process: "Document") -> Iterator[tuple[str, Any]]:
    user, login = process.get("user"), process.get("login_user")
    cmdline = process.get("cmdline")
    yield "pid", process.get("pid")
    yield "program", process.get("exe")
    yield "command", " ".join(map(str, cmdline)) if isinstance(cmdline, list) else cmdline
    yield "user", f"{user} (logged in as {login})" if login and login != user else user
    # Nearest first: each was started by the one to its right.
    yield "lineage", " ← ".join(_ancestor(item) for item in process.get("lineage") or ())


def _ancestor(item: object) -> str:
    if isinstance(item, dict):
        name, pid = item.get("exe") or item.get("name") or "?", item.get("pid")
        return f"{name} ({pid})" if pid is not None else str(name)
    return str(item)


def _model(model: "Document") -> Iterator[tuple[str, Any]]:
    origin = model.get("origin")
    yield "path", model.get("path")
    yield "name", model.get("name")
    yield "format", model.get("format") or model.get("reason")
    yield "kind", ", ".join(str(model[key]) for key in ("architecture", "quantization") if model.get(key))
    yield "size", size(model["size"]) if model.get("size") is not None else None
    yield "sha256", model.get("sha256")
    if isinstance(origin, dict):
        yield "origin", ":".join(str(origin[key]) for key in ("kind", "repository") if origin.get(key))
    else:
        yield "origin", origin
    yield "verdict", model.get("verdict")


def _timeline(alert: "Document") -> list[str]:
    return [
        f"  {_text(to_the_second(item.get('at')))}  {_text(item.get('what'))}" for item in alert.get("evidence") or ()
    ]


def _reasons(alert: "Document") -> str:
    return f"`modelwarden rules show {_text(alert.get('rule'))}` says what this rule means."


def _section(title: str, lines: Iterable[str], terminal: Terminal) -> list[str]:
    found = list(lines)
    return ["", terminal.paint(title, BOLD), *found] if found else []


def _facts(pairs: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """One line for each fact that is known."""
    for name, value in pairs:
        if value not in (None, ""):
            yield f"  {name:<10}  {_text(value)}"


def _prose(text: str, terminal: Terminal) -> list[str]:
    width = min(terminal.width or _PROSE_WIDTH, _PROSE_WIDTH)
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ")


def _text(value: object, unknown: str = "-") -> str:
    return unknown if value is None else printable(str(value))
