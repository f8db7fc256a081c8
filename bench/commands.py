"""How long a person waits for a command that reads the state, from the start of the process to its end."""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from kit.documents import fill
from kit.machine import introduce
from kit.table import show

ROUNDS = 11
SIZES = (3, 2_000)
"""Rows in each table: workloads, models, alerts."""
ALERT = f"a-{1:012x}"
READING = {
    "census": ("census",),
    "census --json": ("census", "--json"),
    "census --format csv": ("census", "--format", "csv"),
    "census --user": ("census", "--user", "alice"),
    "alerts": ("alerts",),
    "alerts --json": ("alerts", "--json"),
    "alerts show": ("alerts", "show", ALERT),
}
"""These are told where the state lies."""
OTHERS = {"config check": ("config", "check"), "rules": ("rules",), "--version": ("--version",)}
NOTHING = [sys.executable, "-I", "-S", "-c", ""]
"""What Python itself takes."""


def seconds(command: list[str]) -> float:
    """One run; raises when the command fails."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """All commands in turns; medians."""
    program = [sys.executable, "-m", "modelwarden"]
    took: dict[tuple[str, int], list[float]] = defaultdict(list)
    introduce()
    with tempfile.TemporaryDirectory(prefix="modelwarden-bench-") as name:
        states = {size: Path(name) / str(size) for size in SIZES}
        for size, directory in states.items():
            fill(directory, size)
        for _ in range(ROUNDS):
            took["python itself", 0].append(seconds(NOTHING))
            for title, words in OTHERS.items():
                took[title, 0].append(seconds([*program, *words]))
            for size, directory in states.items():
                for title, words in READING.items():
                    command = [*program, *words, "--state-dir", str(directory)]
                    took[title, size].append(seconds(command))
    rows = [
        (title, f"{size:,}" if size else "", f"{median(times):.3f}", f"{min(times):.3f}", f"{max(times):.3f}")
        for (title, size), times in took.items()
    ]
    show(
        f"seconds a command, {ROUNDS} runs in turns; target below 0.4",
        ("command", "rows", "median", "best", "worst"),
        rows,
    )


if __name__ == "__main__":
    main()
