"""Renders rows as a table that fits the terminal, whatever the cells hold."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from modelwarden.cli.terminal import BOLD, Terminal
from modelwarden.daemon.printable import printable

GAP = "  "
SMALLEST = 8
"""Columns (of the terminal) below which a flexible column is not cut, unless it says otherwise."""
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
    least: int = SMALLEST
    """Columns (of the terminal) that a flexible column keeps."""
    spare: int = 0
    """When there is no room for the least of all columns, the one with the highest number goes first; 0 stays."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row that is one text across all columns."""

    text: str
    colour: str | None = None
    """SGR parameters."""


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


def render(columns: Sequence[Column], rows: Iterable[Sequence[str] | Line], terminal: Terminal) -> str:
    """The table with its titles, without a newline at its end; a hostile cell stays one harmless cell.

    Where columns had to go for want of room, a last line names them.
    """
    given = [row if isinstance(row, Line) else [printable(cell) for cell in row] for row in rows]
    natural = _natural(columns, [row for row in given if not isinstance(row, Line)])
    kept = _kept(columns, natural, terminal.width)
    shown = [columns[index] for index in kept]
    widths = _fit(shown, [natural[index] for index in kept], terminal.width)
    lines = [_line(shown, [column.title for column in shown], widths, terminal, title=True)]
    for row in given:
        if isinstance(row, Line):
            text = printable(row.text)
            lines.append(terminal.paint(text if terminal.width is None else cut(text, terminal.width), row.colour))
        else:
            lines.append(_line(shown, [row[index] for index in kept], widths, terminal))
    if missing := [column.title for index, column in enumerate(columns) if index not in kept]:
        lines.append(f"(no room for {', '.join(missing)})")
    return "\n".join(lines)


def _natural(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column's widest cell."""
    return [
        max(text_width(column.title), max((text_width(row[index]) for row in cells), default=0))
        for index, column in enumerate(columns)
    ]


def _kept(columns: Sequence[Column], natural: Sequence[int], limit: int | None) -> list[int]:
    """The columns, by their index, that find room."""
    least = [
        min(width, max(column.least, text_width(column.title))) if column.flexible else width
        for column, width in zip(columns, natural, strict=True)
    ]
    kept = list(range(len(columns)))
    while limit is not None and sum(least[index] + len(GAP) for index in kept) - len(GAP) > limit:
        index = max(kept, key=lambda index: columns[index].spare)
        if not columns[index].spare:
            break
        kept.remove(index)
    return kept


def _fit(columns: Sequence[Column], natural: Sequence[int], limit: int | None) -> list[int]:
    """The width of each column: as wide as its cells, the widest flexible ones cut down to the limit."""
    widths = list(natural)
    if limit is None:
        return widths
    flexible = [index for index, column in enumerate(columns) if column.flexible]
    for index in flexible:
        widths[index] = min(widths[index], limit)
    surplus = sum(widths) + len(GAP) * (len(widths) - 1) - limit
    while surplus > 0 and (wide := [index for index in flexible if widths[index] > columns[index].least]):
        widths[max(wide, key=lambda index: widths[index])] -= 1
        surplus -= 1
    return widths


def _line(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], terminal: Terminal, *, title: bool = False
) -> str:
    parts = []
    for index, (column, cell, width) in enumerate(zip(columns, row, widths, strict=True)):
        shown, taken = cell, text_width(cell)
        if taken > width:
            shown = cut(cell, width, keep_end=column.keep_end and not title)
            taken = text_width(shown)
        padding = " " * (width - taken)
        painted = terminal.paint(shown, BOLD if title else column.colours.get(cell))
        last = index == len(columns) - 1 and not column.right
        parts.append(padding + painted if column.right else painted if last else painted + padding)
    return GAP.join(parts).rstrip()
