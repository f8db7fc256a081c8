"""`modelwarden doctor`: what is missing on this machine, and what each probe would see."""

import argparse
from dataclasses import asdict

from modelwarden.cli.command import Command
from modelwarden.cli.state_dir import add_state_dir
from modelwarden.cli.terminal import Terminal, say, say_json


class Doctor:
    """Attaches the probes for a moment to know; a daemon that runs beside it is not disturbed."""

    name = "doctor"
    help = "check what the daemon needs, and how each probe attaches"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Only how to print."""
        parser.add_argument("--json", action="store_true", help="print a list of rows as JSON")
        add_state_dir(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Exit 0 when the daemon can run, else 1."""
        from modelwarden.cli.table import Column, render  # noqa: PLC0415 - quick start of other commands
        from modelwarden.daemon.prerequisites import can_run, examine, state_directory  # noqa: PLC0415

        rows = [state_directory(args.state_dir), *examine()]
        if args.json:
            say_json([asdict(row) for row in rows])
        else:
            columns = [Column("CHECK"), Column("STATUS"), Column("HOOK"), Column("WHAT")]
            cells = [[row.name, row.status.value, row.hook or "", row.detail] for row in rows]
            say(render(columns, cells, Terminal.here()))
            for row in rows:
                if row.next_step:
                    say(f"{row.name}: {row.next_step}")
        return 0 if can_run(rows) else 1


COMMAND: Command = Doctor()
