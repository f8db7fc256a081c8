"""`modelwarden run`: the daemon in the foreground, as systemd and `make run` start it."""

import argparse
import asyncio
import signal
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelwarden.cli.command import Command, CommandError
from modelwarden.cli.state_dir import add_state_dir

if TYPE_CHECKING:
    from modelwarden.daemon.app import App
    from modelwarden.daemon.config import Config
    from modelwarden.exporters.exporter import ExporterType, Route
    from modelwarden.probes.kernel_side import Kernel


class Run:
    """Wires the rooms together; everything is imported when it runs, so that other commands stay quick."""

    name = "run"
    help = "watch this machine, in the foreground (needs root)"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where things are; all of them have defaults and may be absent."""
        parser.add_argument("--config", type=Path, metavar="FILE", help="default /etc/modelwarden/config.toml")
        parser.add_argument("--policy", type=Path, metavar="FILE", help="default /etc/modelwarden/policy.toml")
        parser.add_argument("--record", type=Path, metavar="FILE", help="keep a journal of all events in a new file")
        parser.add_argument("--redact", action="store_true", help="keep the journal without names of people and places")
        add_state_dir(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Until SIGTERM or Ctrl-C; exit 2 with one line when it cannot begin."""
        from modelwarden.daemon.config import load_config  # noqa: PLC0415 - see the class
        from modelwarden.daemon.toml_file import ConfigError  # noqa: PLC0415
        from modelwarden.probes.loader import ProbesUnavailableError, load, require_root  # noqa: PLC0415

        if args.redact and args.record is None:
            raise CommandError("--redact is about the journal: name one with --record FILE")
        try:
            require_root()
            config = load_config(args.config)
        except (ConfigError, ProbesUnavailableError) as error:
            raise CommandError(str(error)) from error
        # The kernel side takes longest to come up, most of it in a child: everything else happens meanwhile.
        with ThreadPoolExecutor(1, thread_name_prefix="load") as worker:
            return _run(args, config, worker.submit(load, config.files.large_bytes))


def _run(args: argparse.Namespace, config: "Config", loading: "Future[Kernel]") -> int:
    from modelwarden.daemon.app import App, Settings  # noqa: PLC0415 - see Run
    from modelwarden.daemon.console import configure  # noqa: PLC0415
    from modelwarden.daemon.journal import JournalError  # noqa: PLC0415
    from modelwarden.daemon.state_schema import StateError  # noqa: PLC0415
    from modelwarden.daemon.toml_file import ConfigError  # noqa: PLC0415
    from modelwarden.exporters.http import ListenError  # noqa: PLC0415
    from modelwarden.probes.loader import ProbesUnavailableError  # noqa: PLC0415

    configure()
    try:
        settings = Settings(config, args.policy, args.state_dir, args.record, redact=args.redact)
        asyncio.run(_serve(App(settings, loading), *config.http.address))
    except (ConfigError, JournalError, StateError, ListenError, ProbesUnavailableError) as error:
        raise CommandError(str(error)) from error
    finally:
        if loading.exception() is None:
            loading.result().close()
    return 0


async def _serve(app: "App", address: str, port: int) -> None:
    import structlog  # noqa: PLC0415 - see Run

    from modelwarden.exporters.http import HttpServer  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop)
    loop.add_signal_handler(signal.SIGHUP, app.reload)
    server = HttpServer(address, port, _routes(app))
    server.start()
    try:
        await app.run(
            lambda: structlog.get_logger(__name__).info("ready", metrics=f"http://{address}:{server.port}/metrics")
        )
    finally:
        server.stop()


def _routes(app: "App") -> Mapping[str, "Route"]:
    from modelwarden.probes.discover import discover  # noqa: PLC0415 - see Run

    found = discover("modelwarden.exporters", "EXPORTER", skip=("exporter", "http", "request"))
    routes: dict[str, Route] = {}
    for make in cast("tuple[ExporterType, ...]", found):
        routes.update(make(lambda: app.snapshot).routes())
    return routes


COMMAND: Command = Run()
