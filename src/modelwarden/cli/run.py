"""`modelwarden run`: the daemon in the foreground, as systemd and `make run` start it."""

import argparse
import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelwarden.cli.command import Command, CommandError
from modelwarden.cli.state_dir import add_state_dir

if TYPE_CHECKING:
    from modelwarden.daemon.app import App
    from modelwarden.exporters.exporter import ExporterType, Route


class Run:
    """Wires the rooms together; everything is imported when it runs, so that other commands stay quick."""

    name = "run"
    help = "watch this machine, in the foreground (needs root)"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where things are; all of them have defaults and may be absent."""
        parser.add_argument("--config", type=Path, metavar="FILE", help="default /etc/modelwarden/config.toml")
        parser.add_argument("--policy", type=Path, metavar="FILE", help="default /etc/modelwarden/policy.toml")
        add_state_dir(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Until SIGTERM or Ctrl-C; exit 2 with one line when it cannot begin."""
        from modelwarden.daemon.app import App, Settings  # noqa: PLC0415 - see the class
        from modelwarden.daemon.config import load_config  # noqa: PLC0415
        from modelwarden.daemon.console import configure  # noqa: PLC0415
        from modelwarden.daemon.state_schema import StateError  # noqa: PLC0415
        from modelwarden.daemon.toml_file import ConfigError  # noqa: PLC0415
        from modelwarden.exporters.http import ListenError  # noqa: PLC0415
        from modelwarden.probes.loader import ProbesUnavailableError, require_root  # noqa: PLC0415

        configure()
        try:
            require_root()
            config = load_config(args.config)
            app = App(Settings(config, args.policy, args.state_dir))
            asyncio.run(_serve(app, *config.http.address))
        except (ConfigError, StateError, ListenError, ProbesUnavailableError) as error:
            raise CommandError(str(error)) from error
        return 0


async def _serve(app: "App", address: str, port: int) -> None:
    import structlog  # noqa: PLC0415

    from modelwarden.exporters.http import HttpServer  # noqa: PLC0415

    log = structlog.get_logger(__name__)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop)
    loop.add_signal_handler(signal.SIGHUP, app.reload)
    server = HttpServer(address, port, _routes(app))
    server.start()

    def ready(seconds: float) -> None:
        log.info("ready", seconds=round(seconds, 2), metrics=f"http://{address}:{server.port}/metrics")

    try:
        await app.run(ready)
    finally:
        server.stop()


def _routes(app: "App") -> Mapping[str, "Route"]:
    from modelwarden.daemon.discover import discover  # noqa: PLC0415

    found = discover("modelwarden.exporters", "EXPORTER", skip=("exporter", "http", "request"))
    routes: dict[str, Route] = {}
    for make in cast("tuple[ExporterType, ...]", found):
        routes.update(make(lambda: app.snapshot).routes())
    return routes


COMMAND: Command = Run()
