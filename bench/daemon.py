"""What the daemon itself costs: until it is ready, in memory, at rest, beside unrelated opens, in a flood of models.

Everything else that runs on the machine is seen by the daemon too: the rows say how many events came of it, and of
the flood, the opens of others stand beside the count.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median

from kit.actor import Actor, make_files
from kit.daemon import Daemon, require_root
from kit.machine import introduce
from kit.table import show

STARTS = 7
SETTLE_S = 5.0
IDLE_S = 60.0
LATER_S = 30.0
UNRELATED_A_SECOND, UNRELATED_S = 50_000, 10
TURNS = 5
MATCHING_A_SECOND, MATCHING_S = 20_000, 5
PROBES = 7
"""Single opens whose way to the log is timed, before the flood and after it."""
QUIET_S = 60.0
"""How long the daemon may take to work off the flood."""
OPENED = 'modelwarden_events_total{event="file_opened"}'
TICKS = 'modelwarden_events_total{event="tick"}'
DROPPED = 'modelwarden_inspections_total{outcome="dropped"}'
NO_ROOM = 'modelwarden_table_evictions_total{table="files"}'

Row = tuple[str, str, str]


def starts(folder: Path) -> list[Row]:
    """From the spawn to the line `ready`, and the orderly end."""
    ready, stopped, cpu = [], [], []
    for number in range(STARTS):
        daemon = Daemon(folder / f"start-{number}")
        ready.append(daemon.ready_s)
        cpu.append(daemon.cpu_s())
        stopped.append(daemon.stop())
    return [
        (f"ready, median of {STARTS} (worst)", f"{median(ready):.2f} s ({max(ready):.2f})", "< 1.0 s"),
        (f"processor until ready, median of {STARTS}", f"{median(cpu):.2f} s", ""),
        (f"stopped, median of {STARTS} (worst)", f"{median(stopped):.2f} s ({max(stopped):.2f})", ""),
    ]


def memory(daemon: Daemon, folder: Path) -> list[Row]:
    """The whole tree after the start, while the reading children rest, and when they are gone."""
    time.sleep(SETTLE_S)
    rows = [("memory (PSS of the tree) after the start", f"{daemon.pss_mb():.1f} MB", "< 60 MB")]
    for number in range(PROBES):
        daemon.seconds_until_told(folder / f"{number}.gguf")
    rows.append(("memory right after inspections, with the children", f"{daemon.pss_mb():.1f} MB", "< 60 MB"))
    time.sleep(LATER_S)
    rows.append((f"memory {LATER_S:.0f} s later", f"{daemon.pss_mb():.1f} MB", "< 60 MB"))
    return rows


def rest(daemon: Daemon) -> list[Row]:
    """Processor time and wake-ups when nobody does anything."""
    cpu, sleeps, events = _spent(daemon, lambda: time.sleep(IDLE_S))
    return [
        ("idle: processor", f"{cpu / IDLE_S:.2%} of a core", "< 0.5 %"),
        ("idle: wake-ups", f"{sleeps / IDLE_S:.1f} a second", ""),
        ("idle: events of others", f"{events:.0f} in {IDLE_S:.0f} s", ""),
    ]


def unrelated(daemon: Daemon, actor: Actor, folder: Path) -> list[Row]:
    """Opens of a file that is no candidate must not wake the daemon: with and without them, in turns."""
    path = folder / "unrelated.txt"
    path.write_text("nothing")
    operations = UNRELATED_A_SECOND * UNRELATED_S
    turns: dict[str, list[tuple[float, float, float]]] = {
        "nobody opens": [],
        f"{UNRELATED_A_SECOND:,} unrelated opens/s": [],
    }
    without, beside = turns.values()
    for _ in range(TURNS):
        without.append(_spent(daemon, lambda: time.sleep(UNRELATED_S)))
        beside.append(_spent(daemon, lambda: actor.ns_each("paced-open", operations, path, UNRELATED_A_SECOND)))
    rows: list[Row] = []
    for name, spent in turns.items():
        cpu, sleeps, events = (median(column) / UNRELATED_S for column in zip(*spent, strict=True))
        rows.append((f"{name}: processor, wake-ups", f"{cpu:.2%} of a core, {sleeps:.1f}/s", "the same"))
        rows.append((f"{name}: events of others", f"{events:.0f}/s", ""))
    return rows


def flood(daemon: Daemon, actor: Actor, folder: Path) -> list[Row]:
    """Opens of distinct models, more than can be thought about: each is reported or counted as lost."""
    before, cpu, count = daemon.metrics(), daemon.cpu_s(), MATCHING_A_SECOND * MATCHING_S
    usual = median(daemon.seconds_until_told(folder / f"{number}.gguf") for number in range(PROBES, 2 * PROBES))
    begun = time.monotonic()
    took_s = actor.ns_each("paced-each", count, folder / "flood", ".gguf", MATCHING_A_SECOND) * count / 1e9
    in_flood = daemon.cpu_s() - cpu
    told = daemon.seconds_until_told(folder / f"{2 * PROBES}.gguf")
    after = _quiet(daemon)
    worked_off, total = time.monotonic() - begun - took_s, daemon.cpu_s() - cpu
    later = median(daemon.seconds_until_told(folder / f"{number}.gguf") for number in range(2 * PROBES + 1, 3 * PROBES))
    gained = Counter({key: value - before[key] for key, value in after.items()})
    lost = sum(value for key, value in gained.items() if _is_lost_open(key))
    # The single opens before and after are the benchmark's own.
    balance = gained[OPENED] + lost - count - (PROBES + 1)
    name = f"{MATCHING_A_SECOND:,} distinct models/s"
    return [
        (f"{name}: opened", f"{count:,} in {took_s:.1f} s", ""),
        (f"{name}: reported", f"{gained[OPENED]:,.0f}", ""),
        (f"{name}: counted as lost", f"{lost:,.0f}", ""),
        (f"{name}: unaccounted for", f"{max(0, -balance):,.0f}", "0"),
        (f"{name}: opens of others, reported too", f"{max(0, balance):,.0f}", ""),
        (f"{name}: of these without room to wait for an inspection", f"{gained[NO_ROOM] + gained[DROPPED]:,.0f}", ""),
        (f"{name}: processor while it lasts", f"{in_flood / took_s:.0%} of a core", ""),
        (f"{name}: processor until worked off", f"{total:.1f} s", ""),
        (f"{name}: worked off after the end", f"{worked_off:.1f} s", ""),
        (f"{name}: memory then", f"{daemon.pss_mb():.1f} MB", ""),
        ("open to log line: before", f"{usual * 1000:.0f} ms", ""),
        ("open to log line: right after the flood", f"{told:.1f} s", ""),
        ("open to log line: when worked off", f"{later * 1000:.0f} ms", "as before"),
    ]


def _is_lost_open(key: str) -> bool:
    return key.startswith("modelwarden_events_lost_total") and ('"file_open"' in key or '"decode"' in key)


def _spent(daemon: Daemon, do: Callable[[], object]) -> tuple[float, float, float]:
    """Processor seconds, wake-ups and events that are no ticks while something is done."""
    events, cpu, sleeps = _events(daemon.metrics()), daemon.cpu_s(), daemon.sleeps()
    do()
    cpu, sleeps = daemon.cpu_s() - cpu, daemon.sleeps() - sleeps
    time.sleep(2)  # the metrics are those of the last tick
    return cpu, sleeps, _events(daemon.metrics()) - events


def _events(metrics: Counter[str]) -> float:
    return sum(value for key, value in metrics.items() if key.startswith("modelwarden_events_total")) - metrics[TICKS]


def _quiet(daemon: Daemon) -> Counter[str]:
    """The metrics when nothing of the flood is under way any more."""
    deadline, before = time.monotonic() + QUIET_S, daemon.metrics()
    while time.monotonic() < deadline:
        time.sleep(2.5)
        now = daemon.metrics()
        if (
            now[TICKS] > before[TICKS] + 1
            and _inspections(now) == _inspections(before)
            and now[OPENED] == before[OPENED]
        ):
            return now
        before = now
    return before


def _inspections(metrics: Counter[str]) -> float:
    return sum(value for key, value in metrics.items() if key.startswith("modelwarden_inspections_total"))


def main() -> None:
    """One daemon for the starts each, one for everything else."""
    require_root()
    introduce()
    with tempfile.TemporaryDirectory(prefix="modelwarden-bench-") as name:
        folder = Path(name)
        actor = Actor(folder)
        files = make_files(folder / "files", 3 * PROBES, ".gguf")
        make_files(files / "flood", MATCHING_A_SECOND * MATCHING_S, ".gguf")
        rows = starts(folder)
        daemon = Daemon(folder / "daemon")
        try:
            rows += [*memory(daemon, files), *rest(daemon), *unrelated(daemon, actor, folder)]
            rows += flood(daemon, actor, files)
        finally:
            daemon.stop()
    show("the daemon", ("what", "measured", "target"), rows)


if __name__ == "__main__":
    main()
