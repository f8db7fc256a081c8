"""Attaches programs to tracepoints through perf events, as bcc and libbpf do it themselves."""

import ctypes
import fcntl
import os
import platform
import struct
from pathlib import Path

from modelwarden.probes.libbpf import fail

_TRACEFS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
_TYPE_TRACEPOINT = 2
_ATTRIBUTE_BYTES = 112
_CLOSE_ON_EXEC = 1 << 3
_SET_BPF, _ENABLE = 0x40042408, 0x2400  # PERF_EVENT_IOC_*: include/uapi/linux/perf_event.h


def events_folder() -> Path | None:
    """Where tracefs shows the tracepoints, `None` when it is not mounted, or not for us."""
    return next((root / "events" for root in _TRACEFS if os.access(root / "events", os.R_OK | os.X_OK)), None)


def tracepoint_id(target: str) -> int | None:
    """The number of a tracepoint `category:event`, `None` when the kernel has none of that name.

    Raises `OSError` when tracefs cannot be read.
    """
    category, event = target.split(":")
    events = events_folder()
    if events is None:
        raise OSError("tracefs is not mounted")
    file = events / category / event / "id"
    return int(file.read_text()) if file.exists() else None


def attach_tracepoint(target: str, number: int, program: int) -> int:
    """Attaches a loaded program on all processors; returns the descriptor whose end is the attachment's end."""
    # struct perf_event_attr: type, size, config, sample_period, …, wakeup_events at offset 48.
    attribute = struct.pack("<IIQQ24xI", _TYPE_TRACEPOINT, _ATTRIBUTE_BYTES, number, 1, 1).ljust(
        _ATTRIBUTE_BYTES, b"\0"
    )
    libc = ctypes.CDLL(None, use_errno=True)
    call = _PERF_EVENT_OPEN[platform.machine()]
    made: int = libc.syscall(call, attribute, -1, 0, -1, ctypes.c_ulong(_CLOSE_ON_EXEC))
    if made < 0:
        fail(f"perf event for {target}")
    try:
        fcntl.ioctl(made, _SET_BPF, program)
        fcntl.ioctl(made, _ENABLE, 0)
    except OSError:
        os.close(made)
        raise
    return made
