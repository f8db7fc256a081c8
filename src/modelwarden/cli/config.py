"""`modelwarden config`: checks the configuration file, or shows every setting."""

import argparse
from pathlib import Path

from modelwarden.cli.command import Command, CommandError
from modelwarden.cli.terminal import say
from modelwarden.daemon.printable import printable


class ConfigCommand:
    """Says whether the daemon would start with the file."""

    name = "config"
    help = "check the configuration file, or print a sample with every setting"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the two actions."""
        actions = parser.add_subparsers(dest="action", metavar="check|sample", required=True)
        check = actions.add_parser("check", help="whether the file is right; exit 2 when it is not", allow_abbrev=False)
        check.add_argument(
            "--config", type=Path, metavar="FILE", help="the file (default /etc/modelwarden/config.toml)"
        )
        actions.add_parser("sample", help="every setting with its default and its reason", allow_abbrev=False)

    def run(self, args: argparse.Namespace) -> int:
        """Check, or print the sample."""
        from modelwarden.daemon import config  # noqa: PLC0415 — msgspec is slow to import

        if args.action == "sample":
            say(config.config_sample().rstrip())
            return 0
        try:
            loaded = config.load_config(args.config)
        except config.ConfigError as error:
            raise CommandError(str(error)) from error
        path = args.config or config.DEFAULT_CONFIG
        # load_config has just read it, so all that can be missing is the default file.
        say(
            f"{printable(str(path))} is right"
            if path.exists()
            else f"there is no {path}: every setting has its default"
        )
        if not loaded.http.loopback:
            say(f"note: [http] listen {loaded.http.listen} can be reached from other machines, without a password")
        return 0


COMMAND: Command = ConfigCommand()
