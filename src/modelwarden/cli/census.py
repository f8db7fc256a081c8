"""`modelwarden census`: which local AI was seen."""

import argparse
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from modelwarden.cli.command import Command
from modelwarden.cli.quantities import ago, since, size, to_the_second
from modelwarden.cli.state_dir import add_state_dir, reading_state
from modelwarden.cli.table import Column, render
from modelwarden.cli.terminal import Terminal, say, say_json
from modelwarden.daemon.printable import printable

if TYPE_CHECKING:
    from modelwarden.daemon.snapshot import Document

_COLUMNS = (
    Column("SEEN", colours={"running": "32"}),
    Column("USER", flexible=True),
    Column("WHAT", flexible=True),
    Column("MODEL", flexible=True),
    Column("ARCH", flexible=True),
    Column("QUANT"),
    Column("SIZE", right=True),
    Column("WHY", flexible=True),
)


class Census:
    """Prints workloads with their models."""

    name = "census"
    help = "which local AI was seen: workloads, models, users"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="print JSON for scripts")
        parser.add_argument(
            "--since", type=since, metavar="T", help="only what was seen since: 2h, 7d, a date, an RFC 3339 time"
        )
        add_state_dir(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Print the census."""
        with reading_state(args) as state:
            workloads, models = state.census(args.since)
            head = {"host_id": state.meta("host_id"), "generated_at": state.meta("generated_at")}
        if args.json:
            say_json({**head, "workloads": workloads, "models": models})
        elif workloads or models:
            say(table(workloads, models, head["generated_at"]))
        else:
            say(_nothing(args.since))
        return 0


def table(
    workloads: list["Document"], models: list["Document"], generated_at: str | None, now: datetime | None = None
) -> str:
    """The census as people read it; `now` is what they are told the age from."""
    lines = [row for item in workloads for row in _rows(item, now)]
    shown = f"{render(_COLUMNS, lines, Terminal.here())}\n\n" if lines else ""
    return shown + _summary(workloads, models, generated_at, now)


def _rows(workload: "Document", now: datetime | None) -> list[list[str]]:
    """One row per model; what is true of the whole workload stands in the first."""
    why = "; ".join(str(reason) for reason in workload.get("why") or ())
    models = [
        [
            str(model.get("name") or PurePath(str(model.get("path") or "?")).name),
            str(model.get("architecture") or "-"),
            str(model.get("quantization") or "-"),
            size(model.get("size")),
        ]
        for model in workload.get("models") or ()
    ] or [["-", "-", "-", "-"]]
    seen = "running" if workload.get("running") else ago(workload.get("last_seen"), now)
    user = workload.get("user") or (f"uid {workload['uid']}" if workload.get("uid") is not None else "-")
    head = [seen, str(user), _what(workload)]
    return [
        (head if first else ["", "", ""]) + model + ([why] if first else [""])
        for first, model in ((index == 0, model) for index, model in enumerate(models))
    ]


def _what(workload: "Document") -> str:
    program = PurePath(str(workload.get("exe") or "")).name
    runtime = str(workload.get("runtime") or "")
    if program and runtime and runtime != program:
        return f"{program} ({runtime})"
    return program or runtime or "-"


def _summary(
    workloads: list["Document"], models: list["Document"], generated_at: str | None, now: datetime | None
) -> str:
    running = sum(bool(workload.get("running")) for workload in workloads)
    text = f"{_count(len(workloads), 'workload')} ({running} running), {_count(len(models), 'model')}"
    return (
        f"{text}; as of {printable(to_the_second(generated_at))} ({ago(generated_at, now)})" if generated_at else text
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _nothing(moment: str | None) -> str:
    if moment:
        return f"No local AI was seen since {moment}. Without --since you see all that is known."
    return (
        "No local AI was seen yet. Start a model (say, `ollama run tinyllama`) and look again; "
        "`modelwarden doctor` says whether the probes work."
    )


COMMAND: Command = Census()
