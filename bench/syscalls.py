"""What watching costs everybody else: nanoseconds an operation beside no monitor, in one run, in turns.

The columns: nobody watches; the daemon as it runs on this machine; the probes alone with `file_open` by each of its
hooks, read as the daemon reads them but without anything behind. What runs here is never a child of what watches.
"""

import argparse
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from kit.actor import Actor, make_files
from kit.daemon import Daemon, require_root
from kit.machine import introduce
from kit.table import show

from modelwarden.daemon.config import Files
from modelwarden.probes.loader import ProbesUnavailableError, load

REPETITIONS = 9
FILES = 5_000
SETTLE_S = 1.0
DRAIN_S = 0.1
BATCH = 512
NONE, DAEMON = "none", "daemon"
PROGRAMS = {"tracepoint": "file_open_tracepoint", "raw tracepoint": "file_open_raw_tracepoint"}
MONITORS = (NONE, DAEMON, *PROGRAMS)
LAST = "open+close, distinct models"
"""It leaves the daemon busy for a while, so nothing else is measured behind it."""
OPERATIONS = ("getppid", "open+close, unrelated", "open+close, one model", "fork+exec+wait", LAST)


def watch(program: str) -> None:
    """The helper: loads the probes with one hook of `file_open`, says so, reads until its input ends."""
    others = dict.fromkeys(set(PROGRAMS.values()) - {program}, "left out by the benchmark")
    try:
        kernel = load(Files().large_bytes, others)
    except ProbesUnavailableError as error:
        raise SystemExit(str(error)) from error
    for state in kernel.states:
        if state.hook is None:
            raise SystemExit(f"left out: {program}: {state.reason}")
    print("ready", flush=True)
    stdin, ring = sys.stdin.fileno(), kernel.ring.descriptor
    while stdin not in select.select([stdin, ring], [], [], DRAIN_S)[0]:
        while kernel.drain(BATCH, lambda _batch: None):
            pass
    kernel.close()


@contextmanager
def watched_by(monitor: str, folder: Path) -> Iterator[None]:
    """Something watches, has settled, and is gone behind it. `LookupError` for a hook that is not to be had here."""
    if monitor == NONE:
        yield
    elif monitor == DAEMON:
        daemon = Daemon(folder)
        time.sleep(SETTLE_S)
        try:
            yield
        finally:
            daemon.stop()
    else:
        command = [sys.executable, __file__, "--watch", PROGRAMS[monitor]]
        helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert helper.stdin is not None
        assert helper.stdout is not None
        if helper.stdout.readline() != "ready\n":
            helper.communicate()
            raise LookupError(monitor)
        time.sleep(SETTLE_S)
        try:
            yield
        finally:
            helper.communicate()


def measure(actor: Actor, folder: Path) -> Iterator[tuple[str, float]]:
    """Each operation once; nanoseconds."""
    yield OPERATIONS[0], actor.ns_each("syscall", 1_000_000)
    yield OPERATIONS[1], actor.ns_each("open", 100_000, folder / "unrelated.txt")
    yield OPERATIONS[2], actor.ns_each("open", 100_000, folder / "one" / "0.gguf")
    yield OPERATIONS[3], actor.ns_each("spawn", 300, "/bin/true")
    yield LAST, actor.ns_each("each", FILES, folder / "many", ".gguf")


def main() -> None:
    """Every monitor once in each repetition, in another order each time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watch", choices=PROGRAMS.values(), help=argparse.SUPPRESS)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    args = parser.parse_args()
    require_root()
    if args.watch:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        watch(args.watch)
        return
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    introduce()
    with tempfile.TemporaryDirectory(prefix="modelwarden-bench-") as name:
        folder = Path(name)
        actor = Actor(folder)
        make_files(folder / "one", 1, ".gguf")
        make_files(folder / "many", FILES, ".gguf")
        (folder / "unrelated.txt").write_text("nothing")
        monitors = [monitor for monitor in MONITORS if _is_here(monitor, folder / "trial")]
        for repetition in range(args.repetitions):
            for monitor in random.sample(monitors, len(monitors)):
                with watched_by(monitor, folder / f"daemon-{repetition}"):
                    for operation, nanoseconds in measure(actor, folder):
                        took[operation, monitor].append(nanoseconds)
    rows = [[operation, *_cells(operation, monitors, took)] for operation in OPERATIONS]
    head = ["operation", *monitors]
    show(f"ns an operation, medians of {args.repetitions} in turns (against none)", head, rows)


def _is_here(monitor: str, folder: Path) -> bool:
    try:
        with watched_by(monitor, folder):
            return True
    except LookupError:
        return False


def _cells(operation: str, monitors: Sequence[str], took: dict[tuple[str, str], list[float]]) -> Iterator[str]:
    base = median(took[operation, NONE])
    for monitor in monitors:
        value = median(took[operation, monitor])
        yield f"{value:,.0f}" + (f" ({value / base:.2f})" if monitor != NONE else "")


if __name__ == "__main__":
    main()
