"""The option `--state-dir`, with the state behind it for the length of a command."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwarden.cli.command import CommandError

if TYPE_CHECKING:
    from modelwarden.daemon.state import State

DEFAULT_STATE_DIR = Path("/var/lib/modelwarden")


def add_state_dir(parser: argparse.ArgumentParser, *, default: Any = DEFAULT_STATE_DIR) -> None:
    """Declare `--state-dir`; a parser below one that has it passes `argparse.SUPPRESS`."""
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=default,
        metavar="DIR",
        help=f"where the daemon keeps its state (default {DEFAULT_STATE_DIR})",
    )


@contextmanager
def reading_state(args: argparse.Namespace) -> Iterator["State"]:
    """The state to read. Raises `CommandError` for what is wrong with it, inside the block too."""
    from modelwarden.daemon.state import State, StateError  # noqa: PLC0415 — sqlite is slow to import

    try:
        with State.read(args.state_dir) as state:
            yield state
    except StateError as error:
        raise CommandError(str(error)) from error


@contextmanager
def editing_state(args: argparse.Namespace) -> Iterator["State"]:
    """The state to change. Raises `CommandError` for what is wrong with it, inside the block too."""
    from modelwarden.daemon.state import State, StateError  # noqa: PLC0415 — sqlite is slow to import

    try:
        with State.edit(args.state_dir) as state:
            yield state
    except StateError as error:
        raise CommandError(str(error)) from error
