"""`modelwarden census`: which local AI was seen."""

import argparse
from typing import TYPE_CHECKING

from modelwarden.cli.census_readers import Readers, belongs_to
from modelwarden.cli.command import Command
from modelwarden.cli.quantities import since
from modelwarden.cli.state_dir import add_state_dir, reading_state
from modelwarden.cli.terminal import Terminal, say, say_json
from modelwarden.daemon.printable import printable
from modelwarden.daemon.shards import merge_census

if TYPE_CHECKING:
    from modelwarden.daemon.snapshot import Document

_FORMATS = ("table", "json", "csv")


class Census:
    """Prints workloads with their models."""

    name = "census"
    help = "which local AI was seen: workloads, models, users"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--format", choices=_FORMATS, default="table", help="for people (table), scripts (json), spreadsheets (csv)"
        )
        parser.add_argument(
            "--json", action="store_const", const="json", dest="format", help="the same as --format json"
        )
        parser.add_argument(
            "--since", type=since, metavar="T", help="only what was seen since: 2h, 7d, a date, an RFC 3339 time"
        )
        parser.add_argument(
            "--user", action="append", metavar="USER",
            help="only workloads of this user (name or number), or that this user logged in for; may be repeated",
        )  # fmt: skip
        add_state_dir(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Print the census."""
        with reading_state(args) as state:
            workloads, files = state.census(args.since)
            head = {"host_id": state.meta("host_id"), "generated_at": state.meta("generated_at")}
        if args.user:
            workloads = [workload for workload in workloads if belongs_to(workload, args.user)]
            readers = Readers(workloads)
            files = [file for file in files if readers.of(file)]
        _print(args, head, *merge_census(workloads, files))
        return 0


def _print(
    args: argparse.Namespace, head: dict[str, str | None], workloads: list["Document"], models: list["Document"]
) -> None:
    if args.format == "json":
        say_json({**head, "workloads": workloads, "models": models})
    elif args.format == "csv":
        from modelwarden.cli.census_csv import as_csv  # noqa: PLC0415 - the others do without

        say(as_csv(head, workloads, models).removesuffix("\n"))
    elif workloads or models:
        from modelwarden.cli.census_table import as_text  # noqa: PLC0415

        say(as_text(workloads, models, head["generated_at"], Terminal.here(), since=args.since))
    else:
        say(_nothing(args.since, args.user))


def _nothing(moment: str | None, users: list[str] | None) -> str:
    if users:
        return f"No local AI of {printable(', '.join(users))} was seen. Without --user you see that of everybody."
    if moment:
        return f"No local AI was seen since {moment}. Without --since you see all that is known."
    return (
        "No local AI was seen yet. Start a model (say, `ollama run tinyllama`) and look again; "
        "`modelwarden doctor` says whether the probes work."
    )


COMMAND: Command = Census()
