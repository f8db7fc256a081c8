"""Tables for people."""

from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.cli.table import Column, Line, cut, render, text_width
from modelwarden.cli.terminal import Terminal

HOSTILE = st.text(st.characters(codec=None), max_size=40)


class Screen:
    """A stream that is a terminal, or not."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        """Whether a person looks."""
        return self.is_terminal


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("Ａ", 2), ("", 0)])
def test_width_is_what_the_terminal_shows(text: str, width: int) -> None:
    """Wide characters take two columns, combining marks none."""
    assert text_width(text) == width


def test_cut_keeps_the_side_that_says_most() -> None:
    """An ellipsis stands where something is missing."""
    assert cut("abcdef", 4) == "abc…"
    assert cut("/a/b/c.gguf", 7, keep_end=True) == "…c.gguf"
    assert cut("日本語", 4) == "日…"
    assert cut("abc", 3) == "abc"


def test_columns_stand_below_each_other() -> None:
    """Cells are as wide as the widest, numbers stand at the right, line ends carry no spaces."""
    table = render(
        [Column("NAME"), Column("N", right=True), Column("X")], [["日本", "1", ""], ["a", "22", "y"]], Terminal()
    )
    assert table.splitlines() == ["NAME   N  X", "日本   1", "a     22  y"]


@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), max_size=5), st.integers(40, 120))
def test_fits_whatever_the_cells_hold(rows: list[tuple[str, str, str]], width: int) -> None:
    """No name makes a line longer than the terminal, nor two lines of one."""
    columns = [Column("A", flexible=True), Column("B", flexible=True, keep_end=True), Column("C", flexible=True)]
    lines = render(columns, rows, Terminal(width)).split("\n")
    assert len(lines) == len(rows) + 1
    assert all(text_width(line) <= width for line in lines)
    assert all(line.isprintable() for line in lines)


def test_nothing_is_cut_for_a_program() -> None:
    """Who pipes the table into grep wants all of it."""
    assert "x" * 500 in render([Column("A", flexible=True)], [["x" * 500]], Terminal(None))


def test_a_line_goes_across_all_columns() -> None:
    """A row that is one text widens no column, is cut to the terminal, and stays one line."""
    rows = [Line("of alice\n" + "x" * 50, "1"), ["a", "b"]]
    table = render([Column("A"), Column("B")], rows, Terminal(20, colour=True)).splitlines()
    assert table[1:] == ["\x1b[1mof alice\\nxxxxxxxxx…\x1b[0m", "a  b"]
    assert render([Column("A"), Column("B")], rows, Terminal()).splitlines()[1] == r"of alice\n" + "x" * 50


FITTING = [
    Column("NAME", flexible=True, least=6),
    Column("N", right=True, spare=1),
    Column("WHY", flexible=True, least=4, spare=2),
]
ROW = ["a long name", "17", "because"]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (24, ["NAME          N  WHY", "a long name  17  because"]),
        (16, ["NAME     N  WHY", "a lon…  17  bec…"]),
        (15, ["NAME          N", "a long name  17", "(no room for WHY)"]),
        (9, ["NAME", "a long n…", "(no room for N, WHY)"]),
        (None, ["NAME          N  WHY", "a long name  17  because"]),
    ],
)
def test_what_can_be_spared_goes_when_cutting_does_not_help(width: int | None, lines: list[str]) -> None:
    """Columns are cut to their least, then those that can be spared go, and a last line names them."""
    assert render(FITTING, [ROW], Terminal(width)).splitlines() == lines


def test_colours_do_not_move_columns() -> None:
    """The escape codes take no room."""
    columns = [Column("S", colours={"high": "31"}), Column("T")]
    table = render(columns, [["high", "x"], ["low", "y"]], Terminal(80, colour=True))
    assert table.splitlines()[1:] == ["\x1b[31mhigh\x1b[0m  x", "low   y"]


@pytest.mark.parametrize(
    ("is_terminal", "environ", "colour"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_are_for_terminals(is_terminal: bool, environ: dict[str, str], colour: bool) -> None:
    """Files and pipes get none, and nobody who asked for none (no-color.org: set and not empty)."""
    stream: TextIO = Screen(is_terminal=is_terminal)  # type: ignore[assignment]
    assert Terminal.of(stream, environ).colour is colour
