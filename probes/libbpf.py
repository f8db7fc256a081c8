"""The wall around libbpf: its functions through ctypes, failures as `OSError` that name what was refused."""

import ctypes
import os
import struct
from dataclasses import dataclass
from functools import cache
from typing import NoReturn

LIBRARY = "libbpf.so.1"

# Numbers and layouts: include/uapi/linux/bpf.h and tools/lib/bpf/bpf.h.
_TYPE_TRACING, _ATTACH_FENTRY, _ATTACH_ITERATOR = 26, 24, 28
_LOAD_OPTIONS = struct.Struct("<QiiIIIIII72x")
"""struct bpf_prog_load_opts: its size, attempts, expected_attach_type, …, attach_btf_id; the rest stays zero."""
_EMPTY_PROGRAM = bytes.fromhex("b7000000000000009500000000000000")
"""`return 0`."""
_INFO_BYTES = 232
_INFO = struct.Struct("<64x16s112xQQQI12x")
"""struct bpf_prog_info: name, run_time_ns, run_cnt, recursion_misses (5.12), verified_insns (5.16)."""


@dataclass(frozen=True, slots=True)
class ProgramInfo:
    """What the kernel says of a loaded program; zero where it is too old to say."""

    name: str
    run_time_ns: int
    """Counted while `kernel.bpf_stats_enabled` is 1, as `runs`."""
    runs: int
    recursion_misses: int
    verified_instructions: int


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


def attach_fentry(name: str, program: int) -> int:
    """Attaches a loaded program to the kernel function that it was loaded for, as `attach_raw_tracepoint`."""
    made: int = library().bpf_raw_tracepoint_open(None, program)
    if made < 0:
        fail(f"fentry {name}", made)
    return made


def try_fentry(function: int, name: str) -> None:
    """Loads an empty program for a kernel function (its number in BTF); `OSError` when the kernel takes none."""
    options = _LOAD_OPTIONS.pack(_LOAD_OPTIONS.size, 0, _ATTACH_FENTRY, 0, 0, 0, 0, function, 0)
    made: int = library().bpf_prog_load(
        _TYPE_TRACING, b"try_fentry", b"GPL", _EMPTY_PROGRAM, ctypes.c_size_t(len(_EMPTY_PROGRAM) // 8), options
    )
    if made < 0:
        fail(f"fentry {name}", made)
    os.close(made)


def open_iterator(program: int) -> int:
    """Begins a run of a loaded iterator; a descriptor to read what its program writes (kernel 5.8)."""
    link: int = library().bpf_link_create(program, 0, _ATTACH_ITERATOR, None)
    if link < 0:
        fail("iterator", link)
    made: int = library().bpf_iter_create(link)
    os.close(link)
    if made < 0:
        fail("iterator", made)
    return made


def program_info(descriptor: int) -> ProgramInfo:
    """What the kernel counts of a loaded program."""
    info, size = ctypes.create_string_buffer(_INFO_BYTES), ctypes.c_uint32(_INFO_BYTES)
    result = library().bpf_obj_get_info_by_fd(descriptor, info, ctypes.byref(size))
    if result < 0:
        fail("program info", result)
    name, *counts = _INFO.unpack(info.raw)
    return ProgramInfo(name.split(b"\0")[0].decode(), *counts)


def possible_processors() -> int:
    """How many values a per-CPU map has for one key."""
    count: int = library().libbpf_num_possible_cpus()
    if count < 0:
        fail("number of processors", count)
    return count
