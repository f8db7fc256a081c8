"""What the other end of standard output can show."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from modelwarden.cli.command import CommandError

RESET = "\x1b[0m"
BOLD = "1"
SEVERITY_COLOURS = {
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "36",
}
"""SGR parameters by severity, none for `informational`."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How wide a line may be, and whether colours are welcome."""

    width: int | None = None
    """Columns; `None` when a program reads, which wants nothing cut."""
    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO | None, environ: Mapping[str, str]) -> "Terminal":
        """The terminal behind the stream; the plain one when there is none."""
        if stream is None or not stream.isatty():
            return cls()
        colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return cls(max(shutil.get_terminal_size().columns, 20), colour)

    @classmethod
    def here(cls) -> "Terminal":
        """The terminal behind standard output."""
        return cls.of(sys.stdout, os.environ)

    def paint(self, text: str, colour: str | None) -> str:
        """The text in that colour (SGR parameters), where colours are welcome."""
        return f"\x1b[{colour}m{text}{RESET}" if self.colour and colour else text


def say(text: str) -> None:
    """Write lines to standard output, if there is one.

    Raises `BrokenPipeError` when nobody reads any more, `CommandError` when they cannot be written.
    """
    with writing():
        if sys.stdout is not None:
            sys.stdout.write(f"{text}\n")


@contextmanager
def writing() -> Iterator[None]:
    """Turn a full disk behind standard output into one line for the person who sent it there."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"the output cannot be written: {error.strerror or error}") from error


def say_json(document: object) -> None:
    """Write a document as JSON of ASCII characters only: the same in every locale, harmless on a terminal."""
    import msgspec  # noqa: PLC0415 - commands that print tables need none of it

    # The standard library indents in Python only, which is four times slower.
    say(msgspec.json.format(json.dumps(document), indent=2))
