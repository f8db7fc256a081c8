"""The wall around libbpf: its functions through ctypes, failures as `OSError` that name what was refused."""

import ctypes
import os
from functools import cache
from typing import NoReturn

LIBRARY = "libbpf.so.1"


@cache
def library() -> ctypes.CDLL:
    """Libbpf 1.x, loaded once; `OSError` when the system has none."""
    return ctypes.CDLL(LIBRARY, use_errno=True)


def fail(what: str, result: int | None = None) -> NoReturn:
    """Raises `OSError` for the error that libbpf left, in its result (negative) or in errno."""
    number = -result if result is not None and result < 0 else ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")


def attach_raw_tracepoint(name: str, program: int) -> int:
    """Attaches a loaded program; returns the descriptor whose end is the attachment's end."""
    made: int = library().bpf_raw_tracepoint_open(name.encode(), program)
    if made < 0:
        fail(f"raw tracepoint {name}", made)
    return made


def possible_processors() -> int:
    """How many values a per-CPU map has for one key."""
    count: int = library().libbpf_num_possible_cpus()
    if count < 0:
        fail("number of processors", count)
    return count
