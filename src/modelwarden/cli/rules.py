"""`modelwarden rules`: what is looked for, and what each rule means."""

import argparse
import difflib
import importlib
import re
import textwrap
from typing import TYPE_CHECKING, cast

from modelwarden.cli.command import Command, CommandError
from modelwarden.cli.table import Column, render
from modelwarden.cli.terminal import BOLD, SEVERITY_COLOURS, Terminal, say

if TYPE_CHECKING:
    from modelwarden.daemon.rules.rule import About, Rule

PACKAGE = "modelwarden.daemon.rules"

_COLUMNS = (
    Column("RULE"),
    Column("SEVERITY", colours=SEVERITY_COLOURS),
    Column("TECHNIQUES", flexible=True),
    Column("TITLE", flexible=True),
)
_PROSE_WIDTH = 100


class Rules:
    """Lists the built-in rules, or shows one."""

    name = "rules"
    help = "what is looked for and why; show one"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the action on one rule."""
        actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
        show = actions.add_parser("show", help="what one rule means and what to do", allow_abbrev=False)
        show.add_argument("rule", metavar="NAME", help="the rule's name, as in the list and in an alert")

    def run(self, args: argparse.Namespace) -> int:
        """List, or show."""
        rules = _rules()
        terminal = Terminal.here()
        if args.action != "show":
            rows = [[str(rule.name), str(rule.severity), ", ".join(rule.techniques), str(rule.title)] for rule in rules]
            say(render(_COLUMNS, rows, terminal))
            say(f"\n{len(rows)} rule{'' if len(rows) == 1 else 's'}; `modelwarden rules show NAME`")
            return 0
        chosen = next((rule for rule in rules if rule.name == args.rule), None)
        if chosen is None:
            names = [str(rule.name) for rule in rules]
            close = difflib.get_close_matches(args.rule[:64], names, n=1)
            hint = f"did you mean {close[0]}?" if close else "`modelwarden rules` lists them"
            raise CommandError(f"there is no rule {args.rule}; {hint}")
        say(_page(chosen, terminal))
        return 0


def _rules() -> list["About"]:
    from modelwarden.probes.discover import discover  # noqa: PLC0415 — it imports every rule

    found = discover(PACKAGE, "RULE", skip=("rule",))
    return [cast("Rule", rule).about for rule in found]


def description_of(name: str) -> str | None:
    """What a rule says of itself; `None` for one that this version does not have."""
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
        return None
    try:
        rule = getattr(importlib.import_module(f"{PACKAGE}.{name}"), "RULE", None)
    except ModuleNotFoundError:
        return None
    return None if rule is None else cast("Rule", rule).about.description


def _page(rule: "About", terminal: Terminal) -> str:
    severity = str(rule.severity)
    lines = [
        f"{terminal.paint(severity.upper(), SEVERITY_COLOURS.get(severity))}  {terminal.paint(str(rule.title), BOLD)}",
        "",
        f"  rule        {rule.name}",
        f"  techniques  {', '.join(rule.techniques) or '-'}",
    ]
    sections = (
        ("What it means", rule.description),
        ("False positives", rule.false_positives),
        ("What to do", rule.what_to_do),
    )
    for title, text in sections:
        lines += ["", terminal.paint(title, BOLD), *_prose(text, min(terminal.width or _PROSE_WIDTH, _PROSE_WIDTH))]
    return "\n".join(lines)


def _prose(text: str | tuple[str, ...], width: int) -> list[str]:
    """A paragraph, or one with a dash for each item."""
    if isinstance(text, str):
        return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ")
    return [
        line for item in text for line in textwrap.wrap(item, width, initial_indent="  - ", subsequent_indent="    ")
    ]


COMMAND: Command = Rules()
