"""The one clock."""

import time
from pathlib import Path

from modelwarden.probes.clock import TICK_NS, boot_ns, wall_offset_ns

SECOND = 1_000_000_000


def test_boot_time_is_the_kernels() -> None:
    """The clock counts from boot, as /proc/uptime does, and never goes back."""
    before = boot_ns()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    after = boot_ns()
    assert before / SECOND - 0.1 <= uptime <= after / SECOND + 0.1
    assert before <= after


def test_offset_leads_to_the_wall_clock() -> None:
    """Boot time and offset together are the time since 1970."""
    assert abs(boot_ns() + wall_offset_ns() - time.time_ns()) < SECOND


def test_tick_is_that_of_procfs() -> None:
    """A clock tick is a hundredth of a second."""
    assert TICK_NS == 10_000_000
