"""Says on what the figures below were measured, and how much of it others were using at that time."""

import os
import platform
import time
from pathlib import Path

LOOK_S = 2.0
BUSY = 0.1


def introduce() -> None:
    """One line, and a warning when the machine is busy."""
    kernel = ".".join(platform.release().split(".")[:2])
    print(f"{os.cpu_count()} processors, kernel {kernel}, Python {platform.python_version()}", end="")
    if (share := busy_share()) > BUSY:
        print(f"; others keep them {share:.0%} busy: times are too long, ratios and processor time hold better")
    else:
        print(f", quiet ({share:.0%} busy)")


def busy_share() -> float:
    """How much of all processors is in use just now."""
    idle, total = _jiffies()
    time.sleep(LOOK_S)
    later_idle, later_total = _jiffies()
    return 1 - (later_idle - idle) / (later_total - total)


def _jiffies() -> tuple[int, int]:
    """(idle, all) of the first line of /proc/stat; guest time is in user time already (proc(5))."""
    values = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return values[3] + values[4], sum(values)
