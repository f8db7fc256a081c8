"""The hard limits of one inspection, for tests of files that are made to break them."""

import tracemalloc
from collections.abc import Callable
from time import process_time
from typing import TypeVar

CPU_S = 2.0
"""Seconds of processor time."""
MEMORY_BYTES = 64 << 20
"""What a parser may allocate at a time."""

T = TypeVar("T")


def within_limits(parse: Callable[[], T]) -> T:
    """What `parse` returns; fails when it takes more time or memory than an inspection has.

    It runs twice, because watching memory costs time.
    """
    began = process_time()
    result = parse()
    took = process_time() - began
    tracemalloc.start()
    try:
        parse()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < CPU_S, f"it took {took:.1f} s"
    assert peak < MEMORY_BYTES, f"it took {peak >> 20} MiB"
    return result
