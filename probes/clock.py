"""The one clock of every event: nanoseconds since boot, suspend included, as the kernel stamps its records."""

import time


def boot_ns() -> int:
    """Now, as bpf_ktime_get_boot_ns gives it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wall_offset_ns() -> int:
    """What to add to boot nanoseconds to get nanoseconds since 1970 UTC; changes when the clock is set."""
    return time.time_ns() - boot_ns()


TICK_NS = 10_000_000
"""The grain of start times in /proc/PID/stat: USER_HZ is 100 on every architecture that we build for."""
