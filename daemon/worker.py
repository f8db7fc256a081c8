"""The child program that reads what hostile files hold: without rights, names or a network."""

import json
import os
from _socket import CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, socket
from collections.abc import Iterable
from dataclasses import asdict
from sys import byteorder
from typing import cast

from modelwarden.daemon.identify.reading.window import FileWindow
from modelwarden.daemon.identify.sniffer import Format, sniff
from modelwarden.daemon.sandbox import die_with_parent, drop_user, limit, load_filter, reading_only
from modelwarden.probes.discover import discover

BUDGET_BYTES = 96 << 20
"""What may be read of one file: a vocabulary of 64 MiB and everything else."""
MEMORY_BYTES = 256 << 20
"""Address space, which the interpreter alone takes a tenth of; the parsers themselves stay below 64 MiB."""
CPU_S = 140
"""For all the files of one worker: the daemon replaces it after 64, each of which has two seconds."""
DESCRIPTORS = 16


def main(control_descriptor: int, channel_descriptor: int) -> None:
    """Lock the process down, say so, then answer one message for each descriptor until the opener is gone."""
    control, channel = socket(fileno=control_descriptor), socket(fileno=channel_descriptor)
    try:
        found = discover("modelwarden.daemon.identify", "FORMAT", skip=("sniffer",))
        formats = cast("tuple[Format, ...]", found)
        lock_down()
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        control.send(f"the reader could not be locked down: {error}".encode()[:500])
        return
    control.send(b"ready")
    while True:
        message, rights, _flags, _address = channel.recvmsg(64, CMSG_SPACE(4))
        if not message:
            return
        for level, kind, data in rights:
            if level == SOL_SOCKET and kind == SCM_RIGHTS:
                size, mtime_ns = map(int, message.split())
                control.send(serve(int.from_bytes(data[:4], byteorder), size, mtime_ns, formats))


def lock_down() -> None:
    """All that the sandbox has; what comes after can read passed descriptors only."""
    program = reading_only()  # starts a process, which the limits forbid
    drop_user()
    die_with_parent()
    limit(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, descriptors=DESCRIPTORS)
    load_filter(program)


def serve(descriptor: int, size: int, mtime_ns: int, formats: Iterable[Format]) -> bytes:
    """The answer for one file, as JSON; its descriptor is closed. Size and time are those that the opener saw."""
    try:
        answer = _inspect(descriptor, size, mtime_ns, formats)
    except MemoryError:
        answer = {"outcome": "unreadable", "reason": "it needs more memory than an inspection has"}
    except OSError as error:
        answer = {"outcome": "unreadable", "reason": error.strerror or "it could not be read"}
    except Exception as error:  # noqa: BLE001  (the guard of this boundary: a bug in a parser must have a name)
        answer = {"outcome": "unreadable", "reason": f"the parser failed: {type(error).__name__}{_place(error)}"}
    # Closed before the answer: where this hangs, the delay belongs to this file.
    os.close(descriptor)
    return json.dumps(answer).encode()


def _inspect(descriptor: int, size: int, mtime_ns: int, formats: Iterable[Format]) -> dict[str, object]:
    identity = sniff(FileWindow(descriptor, size, BUDGET_BYTES), formats)
    if not _is_still(descriptor, size, mtime_ns):
        return {"outcome": "changed", "reason": "it was written to while it was read"}
    if identity is None:
        return {"outcome": "not_a_model"}
    return {"outcome": "model", "identity": asdict(identity)}


def _is_still(descriptor: int, size: int, mtime_ns: int) -> bool:
    try:
        found = os.fstat(descriptor)
    except OSError:  # a FUSE mount with allow_root lets nobody ask, while the descriptor can be read
        return True
    return (found.st_size, found.st_mtime_ns) == (size, mtime_ns)


def _place(error: BaseException) -> str:
    """Module and line of the parser, from the deepest frame: no file's content gets into the text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" in {trace.tb_frame.f_globals.get('__name__')} line {trace.tb_lineno}"
