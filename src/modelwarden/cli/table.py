"""Renders rows as a table that fits the terminal, whatever the cells hold."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from modelwarden.cli.terminal import BOLD, Terminal
from modelwarden.daemon.printable import printable

GAP = "  "
SMALLEST = 8
"""Columns (of the terminal) below which a flexible column is not cut."""
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    right: bool = False
    """Numbers stand at the right."""
    flexible: bool = False
    """It may be cut when the terminal is too narrow."""
    keep_end: bool = False
    """Of a path that is cut, the end says most."""
    colours: Mapping[str, str] = field(default_factory=dict)
    """SGR parameters by the cell's text."""


def text_width(text: str) -> int:
    """The columns of the terminal that the text takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut(text: str, width: int, *, keep_end: bool = False) -> str:
    """The text in at most `width` columns, with an ellipsis where something is missing."""
    if text_width(text) <= width:
        return text
    room = width - 1
    kept = []
    for character in reversed(text) if keep_end else text:
        room -= _character_width(character)
        if room < 0:
            break
        kept.append(character)
    return ELLIPSIS + "".join(reversed(kept)) if keep_end else "".join(kept) + ELLIPSIS


def render(columns: Sequence[Column], rows: Iterable[Sequence[str]], terminal: Terminal) -> str:
    """The table with its titles, without a newline at its end; a hostile cell stays one harmless cell."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = _fit(columns, cells, terminal.width)
    lines = [_line(columns, [column.title for column in columns], widths, terminal, title=True)]
    lines.extend(_line(columns, row, widths, terminal) for row in cells)
    return "\n".join(lines)


def _fit(columns: Sequence[Column], cells: list[list[str]], limit: int | None) -> list[int]:
    """The width of each column: as wide as its cells, the widest flexible ones cut down to the limit."""
    widths = [
        max([text_width(column.title), *(text_width(row[index]) for row in cells)])
        for index, column in enumerate(columns)
    ]
    if limit is None:
        return widths
    flexible = [index for index, column in enumerate(columns) if column.flexible]
    for index in flexible:
        widths[index] = min(widths[index], limit)
    surplus = sum(widths) + len(GAP) * (len(widths) - 1) - limit
    while surplus > 0 and flexible:
        widest = max(flexible, key=lambda index: widths[index])
        if widths[widest] <= SMALLEST:
            break
        widths[widest] -= 1
        surplus -= 1
    return widths


def _line(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], terminal: Terminal, *, title: bool = False
) -> str:
    parts = []
    for index, (column, cell, width) in enumerate(zip(columns, row, widths, strict=True)):
        shown = cut(cell, width, keep_end=column.keep_end and not title)
        padding = " " * (width - text_width(shown))
        painted = terminal.paint(shown, BOLD if title else column.colours.get(cell))
        last = index == len(columns) - 1 and not column.right
        parts.append(padding + painted if column.right else painted if last else painted + padding)
    return GAP.join(parts).rstrip()
