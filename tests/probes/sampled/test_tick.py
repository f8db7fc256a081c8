"""The passing of time."""

import time

from modelwarden.probes.clock import boot_ns
from modelwarden.probes.sampled.tick import Ticker


def test_one_tick_a_sample() -> None:
    """A tick has the moment of the sample and the offset of the wall clock."""
    at = boot_ns()
    (tick,) = Ticker().sample(at)
    assert tick.at == at
    assert abs(tick.at + tick.wall_offset_ns - time.time_ns()) < 5_000_000_000
