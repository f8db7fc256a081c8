"""The contract of a command: one file in this package, ending in `COMMAND: Command = …`."""

import argparse
from typing import NoReturn, Protocol


class CommandError(Exception):
    """The command cannot do what was asked; its message is one line for the person who asked (exit 2)."""


class Command(Protocol):
    """One command. Its module has the command's name; what is slow to import, it imports in `run`."""

    @property
    def name(self) -> str:
        """What people type."""
        ...

    @property
    def help(self) -> str:
        """One line for the list of commands."""
        ...

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare options and arguments."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do it and return the exit code. Raises `CommandError`."""
        ...


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise `CommandError` instead of printing the whole usage."""
        raise CommandError(f"{message}; `{self.prog} --help` shows what is possible")
