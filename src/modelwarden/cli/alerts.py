"""`modelwarden alerts`: what was found, and what people did about it."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from modelwarden.cli.command import Command, CommandError
from modelwarden.cli.quantities import ago, since
from modelwarden.cli.state_dir import add_state_dir, editing_state, reading_state
from modelwarden.cli.table import Column, render
from modelwarden.cli.terminal import SEVERITY_COLOURS, Terminal, say, say_json
from modelwarden.daemon.alerts.alert import Severity, Status
from modelwarden.daemon.printable import printable

if TYPE_CHECKING:
    from modelwarden.daemon.snapshot import Document

MAX_REASON = 2000
"""Characters in a reason."""

ID_SHOWN = 16
"""Characters of an identifier in the list: enough to type on, any unique start will do."""

_COLUMNS = (
    Column("ID"),
    Column("SEVERITY", colours=SEVERITY_COLOURS),
    Column("STATUS"),
    Column("LAST SEEN"),
    Column("COUNT", right=True),
    Column("USER", flexible=True),
    Column("TITLE", flexible=True),
)


class Alerts:
    """Lists alerts, shows one, notes that a person took care of it."""

    name = "alerts"
    help = "what was found; show one, acknowledge or close it"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the list's options, then the actions on one alert."""
        parser.add_argument("--json", action="store_true", help="print JSON for scripts")
        parser.add_argument(
            "--since", type=since, metavar="T", help="only those seen since: 2h, 7d, a date, an RFC 3339 time"
        )
        parser.add_argument(
            "--severity", choices=[str(level) for level in Severity], metavar="S",
            help=f"only those of this severity or worse: {', '.join(Severity)}",
        )  # fmt: skip
        add_state_dir(parser)
        actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions on one alert")
        show = actions.add_parser("show", help="the whole alert: timeline, why, what to do", allow_abbrev=False)
        show.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON for scripts")
        ack = actions.add_parser("ack", help="somebody looks after it", allow_abbrev=False)
        close = actions.add_parser("close", help="it is settled", allow_abbrev=False)
        for action in (show, ack, close):
            action.add_argument("id", metavar="ID", help="the alert's identifier, or a start that no other has")
            add_state_dir(action, default=argparse.SUPPRESS)
        for action in (ack, close):
            action.add_argument(
                "--reason", type=_reason, required=True, metavar="R", help="why, for those who ask later"
            )

    def run(self, args: argparse.Namespace) -> int:
        """Do what was asked."""
        match args.action:
            case "show":
                _show(args)
            case "ack":
                _set_status(args, Status.ACKNOWLEDGED)
            case "close":
                _set_status(args, Status.CLOSED)
            case _:
                _list(args)
        return 0


def _reason(text: str) -> str:
    reason = text.strip()
    if not 0 < len(reason) <= MAX_REASON:
        raise argparse.ArgumentTypeError(f"a reason has 1 to {MAX_REASON} characters, this one {len(reason)}")
    return reason


def _list(args: argparse.Namespace) -> None:
    with reading_state(args) as state:
        alerts = state.alerts(args.since, args.severity)
    if args.json:
        say_json(alerts)
    elif alerts:
        say(table(alerts))
        waiting = sum(alert["status"] == Status.OPEN for alert in alerts)
        say(f"\n{len(alerts)} alert{'' if len(alerts) == 1 else 's'} ({waiting} open); `modelwarden alerts show ID`")
    elif args.since or args.severity:
        say("No alert is like that. Without --since and --severity you see all of them.")
    else:
        say("No alerts. `modelwarden census` shows what was seen, `modelwarden rules` what is looked for.")


def table(alerts: list["Document"], now: datetime | None = None) -> str:
    """The list as people read it; `now` is what they are told the age from."""
    return render(_COLUMNS, [_row(alert, now) for alert in alerts], Terminal.here())


def _row(alert: "Document", now: datetime | None) -> list[str]:
    process = alert.get("process") or {}
    return [
        str(alert["id"])[:ID_SHOWN],
        str(alert["severity"]),
        str(alert["status"]),
        ago(alert.get("last_seen"), now),
        str(alert.get("count") or "-"),
        str(process.get("user") or "-"),
        str(alert.get("title") or alert["rule"]),
    ]


def _show(args: argparse.Namespace) -> None:
    from modelwarden.cli.alert_page import alert_page  # noqa: PLC0415 — the list does without
    from modelwarden.cli.rules import description_of  # noqa: PLC0415

    with reading_state(args) as state:
        alert, mark = state.alert(args.id), state.mark(args.id)
    if args.json:
        say_json(alert)
    else:
        say(alert_page(alert, mark, Terminal.here(), description_of(str(alert.get("rule")))))


def _set_status(args: argparse.Namespace, status: Status) -> None:
    if args.json or args.since or args.severity:
        raise CommandError(f"--json, --since and --severity belong to the list, not to {args.action}")
    with editing_state(args) as state:
        alert = state.set_status(args.id, status, args.reason)
    say(f"{printable(str(alert['id']))} is {status}: {printable(str(alert.get('title') or alert['rule']))}")


COMMAND: Command = Alerts()
