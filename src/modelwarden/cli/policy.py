"""`modelwarden policy`: checks the policy file, or shows what it may hold."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from modelwarden.cli.command import Command, CommandError
from modelwarden.cli.terminal import say
from modelwarden.daemon.printable import printable

if TYPE_CHECKING:
    from modelwarden.daemon.policy import ModelsPolicy


class PolicyCommand:
    """Says whether the file can be used, and what it would decide."""

    name = "policy"
    help = "check the policy file, or print a sample of it"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the two actions."""
        actions = parser.add_subparsers(dest="action", metavar="check|sample", required=True)
        check = actions.add_parser("check", help="whether the file is right; exit 2 when it is not", allow_abbrev=False)
        check.add_argument(
            "--policy", type=Path, metavar="FILE", help="the file (default /etc/modelwarden/policy.toml)"
        )
        actions.add_parser("sample", help="all that a policy may say", allow_abbrev=False)

    def run(self, args: argparse.Namespace) -> int:
        """Check, or print the sample."""
        from modelwarden.daemon import policy_file  # noqa: PLC0415 — msgspec is slow to import
        from modelwarden.daemon.toml_file import ConfigError  # noqa: PLC0415

        if args.action == "sample":
            say(policy_file.policy_sample().rstrip())
            return 0
        try:
            policy, digest = policy_file.load_policy(args.policy)
        except ConfigError as error:
            raise CommandError(str(error)) from error
        path = args.policy or policy_file.DEFAULT_POLICY
        if digest == policy_file.NO_DIGEST:
            say(f"there is no {path}: nothing is judged")
            return 0
        say(f"{printable(str(path))} is right (sha256 {digest})")
        for line in _models(policy.models):
            say(line)
        return 0


def _models(models: "ModelsPolicy | None") -> list[str]:
    if models is None:
        return ["models: no opinion, because there is no [models] section"]
    if not models.approved:
        return ["models: every model is unapproved, because the list is empty"]
    today = datetime.now(UTC).date()
    lines = [f"models: {len(models.approved)} approval{'' if len(models.approved) == 1 else 's'}"]
    for index, entry in enumerate(models.approved):
        if entry.expires is not None and entry.expires < today:
            subject = entry.name or entry.origin or entry.sha256 or ""
            lines.append(f"note: models.approved[{index}] ({printable(subject)}) expired on {entry.expires}")
    return lines


COMMAND: Command = PolicyCommand()
