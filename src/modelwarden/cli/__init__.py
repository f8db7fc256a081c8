"""The command line: finds the command that was asked for, runs it, turns its end into an exit code."""

import difflib
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import cast

from modelwarden import __version__
from modelwarden.cli.command import Command, CommandError, Parser
from modelwarden.cli.terminal import writing
from modelwarden.daemon.printable import printable

EXIT_REFUSED = 2
"""Bad input, or a state that cannot be read."""
EXIT_INTERRUPTED = 130
EXIT_CLOSED_PIPE = 141
"""What a shell shows for a program that SIGPIPE ended: the reader (`| head`) had enough."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 it did what was asked, 2 it was refused."""
    # A locale that cannot write a name must not end the command; both streams may be missing (`>&-`).
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        with writing():
            if sys.stdout is not None:
                sys.stdout.flush()
    except CommandError as error:
        _complain(str(error))
        _drain_stdout()
    except BrokenPipeError:
        _silence_stdout()
        return EXIT_CLOSED_PIPE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    else:
        return code
    return EXIT_REFUSED


def command_names() -> list[str]:
    """The modules of this package in sorted order: the commands, and what they share."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load_command(name: str) -> Command | None:
    """The command of that module; `None` when the module is there for others to use."""
    command = cast("Command | None", getattr(importlib.import_module(f"{__name__}.{name}"), "COMMAND", None))
    if command is not None and command.name != name:
        raise LookupError(f"the command {command.name} stands in {name}.py: a command's module has its name")
    return command


def _run(arguments: list[str]) -> int:
    match arguments:
        case []:
            _write(sys.stderr, _overview())
            return EXIT_REFUSED
        case ["-h" | "--help" | "help", *_]:
            _write(sys.stdout, _overview())
            return 0
        case ["-V" | "--version", *_]:
            _write(sys.stdout, f"modelwarden {__version__}\n")
            return 0
        case [first, *_] if first.startswith("-"):
            raise CommandError(f"{first} is no command; `modelwarden --help` lists them")
    # Only the chosen command is imported, so that a quick one stays quick beside slow ones.
    name, *rest = arguments
    command = load_command(name) if name in command_names() else None
    if command is None:
        raise CommandError(_unknown(name))
    parser = Parser(prog=f"modelwarden {name}", description=command.help, allow_abbrev=False)
    command.add_arguments(parser)
    try:
        with writing():
            args = parser.parse_args(rest)
    except SystemExit as end:  # --help
        return int(end.code or 0)
    return command.run(args)


def _commands() -> list[Command]:
    return [command for name in command_names() if (command := load_command(name)) is not None]


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name[:64], [command.name for command in _commands()], n=1)
    return f"{name} is unknown; " + (
        f"did you mean {close[0]}?" if close else "`modelwarden --help` lists the commands"
    )


def _overview() -> str:
    commands = _commands()
    width = max(len(command.name) for command in commands)
    lines = [f"  {command.name:<{width}}  {command.help}" for command in commands]
    return "\n".join(
        [
            "modelwarden sees the AI that runs on this machine.",
            "",
            "usage: modelwarden COMMAND [OPTIONS]   (modelwarden COMMAND --help shows more)",
            "",
            *lines,
            "",
        ]
    )


def _write(stream: object, text: str) -> None:
    if write := getattr(stream, "write", None):
        with writing():
            write(text)


def _complain(message: str) -> None:
    try:
        _write(sys.stderr, f"modelwarden: {printable(message)}\n")
    except (CommandError, OSError):
        return  # nobody listens


def _drain_stdout() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _silence_stdout()


def _silence_stdout() -> None:
    """Send what is still buffered to nowhere, or the interpreter would complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
