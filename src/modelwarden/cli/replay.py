"""`modelwarden replay`: what a recorded journal gives."""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from modelwarden.cli.command import Command, CommandError
from modelwarden.cli.terminal import Terminal, say, say_json
from modelwarden.daemon.printable import printable
from modelwarden.daemon.shards import merge_census

if TYPE_CHECKING:
    from modelwarden.daemon.journal_file import JournalFile
    from modelwarden.daemon.replay import Replay


class ReplayCommand:
    """Thinks a journal through again, or writes a copy of it for others; needs neither root nor a state."""

    name = "replay"
    help = "the alerts, or the census, that a recorded journal gives"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("journal", type=Path, metavar="JOURNAL", help="written by `modelwarden run --record`")
        parser.add_argument("--json", action="store_true", help="print JSON for scripts")
        parser.add_argument("--census", action="store_true", help="print the census instead of the alerts")
        parser.add_argument(
            "--redact", type=Path, metavar="OUT", help="instead write a copy without names of people and places"
        )

    def run(self, args: argparse.Namespace) -> int:
        """Print what the journal gives, or write the copy."""
        from modelwarden.daemon.journal import JournalError  # noqa: PLC0415 - msgspec is slow to import
        from modelwarden.daemon.journal_file import JournalFile  # noqa: PLC0415

        if args.redact is not None and (args.json or args.census):
            raise CommandError("--redact writes a copy and prints nothing else: leave --json and --census out")
        try:
            journal = JournalFile(args.journal)
            if args.redact is not None:
                _copy(journal, args.redact)
            else:
                _print(_replayed(journal), as_json=args.json, census=args.census)
        except JournalError as error:
            raise CommandError(str(error)) from error
        return 0


def _replayed(journal: "JournalFile") -> "Replay":
    from modelwarden.daemon.discover import make_core  # noqa: PLC0415 - see above
    from modelwarden.daemon.replay import replay  # noqa: PLC0415

    done = replay(journal, make_core())
    if done.failed:
        _warn(f"{done.failed} events could not be thought about, as in the daemon: its log says why (event_failed)")
    _warn_cut(journal)
    return done


def _copy(journal: "JournalFile", target: Path) -> None:
    from modelwarden.daemon.journal_copy import redact_journal  # noqa: PLC0415 - see above

    count = redact_journal(journal, target)
    _warn_cut(journal)
    say(f"{printable(str(target))}: {count} events without names; look through it before you share it")


def _print(done: "Replay", *, as_json: bool, census: bool) -> None:
    from modelwarden.cli import alerts as alerts_list  # noqa: PLC0415 - tables are not for JSON
    from modelwarden.cli.census_table import as_text  # noqa: PLC0415

    found, alerts = done.census(), done.alerts()
    now = datetime.fromisoformat(found["generated_at"]) if found["generated_at"] else None
    try:
        workloads, models = merge_census(found["workloads"], found["models"])
        if as_json:
            say_json({**found, "workloads": workloads, "models": models} if census else alerts)
        elif census:
            say(as_text(workloads, models, found["generated_at"], Terminal.here(), now=now))
        elif alerts:
            say(alerts_list.table(alerts, now))
        else:
            say("No alerts. With --census you see what was seen.")
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CommandError(f"what the journal remembers makes no sense ({error!r}): the file was edited") from error


def _warn_cut(journal: "JournalFile") -> None:
    if journal.cut is not None:
        _warn(journal.cut)


def _warn(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"modelwarden: {printable(text)}\n")


COMMAND: Command = ReplayCommand()
