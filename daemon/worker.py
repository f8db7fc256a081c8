"""The child program that reads what hostile files hold: without rights, names or a network."""

import json
import os
import re
from _socket import CMSG_SPACE, SCM_RIGHTS, SO_RCVTIMEO, SOL_SOCKET, socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from struct import Struct
from sys import byteorder
from typing import NamedTuple, cast

from modelwarden.daemon.asked_folder import Line
from modelwarden.daemon.identify.origins.origin import Origin
from modelwarden.daemon.identify.reading.folder import Folder
from modelwarden.daemon.identify.reading.window import FileWindow
from modelwarden.daemon.identify.sniffer import Format, Identity, sniff
from modelwarden.daemon.provenance import Traced, trace
from modelwarden.daemon.sandbox import die_with_parent, drop_user, limit, load_filter, reading_only
from modelwarden.probes.discover import discover

BUDGET_BYTES = 96 << 20
"""What may be read of one file: a vocabulary of 64 MiB and everything else."""
MEMORY_BYTES = 256 << 20
"""Address space, which the interpreter alone takes a tenth of; the parsers themselves stay below 64 MiB."""
CPU_S = 140
"""For all the files of one worker: the daemon replaces it after 64, each of which has two seconds."""
DESCRIPTORS = 16
BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
"""A file that has another name for its users: without it some formats cannot be told."""
BLOB_MIN_BYTES = 1 << 20
"""Smaller ones are configurations and vocabularies, which are not worth a walk through their store."""
ANSWER_WITHIN_US = 500_000
"""How long the opener has for one document: a file system that never answers costs the documents, not the identity."""
TIMEVAL = Struct("@ll")
"""`struct timeval`."""
MESSAGE_LIMIT = 1 << 16


def main(control_descriptor: int, channel_descriptor: int) -> None:
    """Lock the process down, say so, then answer one message for each descriptor until the opener is gone."""
    control, channel = socket(fileno=control_descriptor), socket(fileno=channel_descriptor)
    try:
        found = discover("modelwarden.daemon.identify", "FORMAT", skip=("sniffer",))
        formats = cast("tuple[Format, ...]", found)
        stores = cast("tuple[Origin, ...]", discover("modelwarden.daemon.identify.origins", "ORIGIN", skip=("origin",)))
        channel.setsockopt(SOL_SOCKET, SO_RCVTIMEO, TIMEVAL.pack(0, ANSWER_WITHIN_US))
        lock_down()
        channel.send(" ".join(variables(stores)).encode())
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        control.send(f"the reader could not be locked down: {error}".encode()[:500])
        return
    control.send(b"ready")
    reader = Reader(formats, stores)
    while True:
        try:
            message, rights, _flags, _address = channel.recvmsg(MESSAGE_LIMIT, CMSG_SPACE(4))
        except BlockingIOError:  # the time limit is for the opener's answers; a next file may take as long as it likes
            continue
        if not message:
            return
        for level, kind, data in rights:
            if level == SOL_SOCKET and kind == SCM_RIGHTS:
                head, _, path = message.partition(b"\0")
                size, mtime_ns = map(int, head.split())
                task = Task(
                    int.from_bytes(data[:4], byteorder), size, mtime_ns, path.decode("utf-8", "surrogateescape")
                )
                control.send(reader.serve(task, Line(channel)))


def variables(stores: Iterable[Origin]) -> list[str]:
    """The environment variables by which people move the stores."""
    return sorted({"HOME", *(name for store in stores for name in store.variables)})


def lock_down() -> None:
    """All that the sandbox has; what comes after can read passed descriptors only."""
    program = reading_only()  # starts a process, which the limits forbid
    drop_user()
    die_with_parent()
    limit(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, descriptors=DESCRIPTORS)
    load_filter(program)


class Task(NamedTuple):
    """One file: its descriptor, with the size, the time and the path that the opener knew."""

    descriptor: int
    size: int
    mtime_ns: int
    path: str


class Reader:
    """Says what files are and where they came from."""

    def __init__(self, formats: Sequence[Format], stores: Sequence[Origin]) -> None:
        self._formats = formats
        self._stores = stores

    def serve(self, task: Task, line: Line) -> bytes:
        """The answer for one file, as JSON; its descriptor is closed."""
        try:
            answer = self._inspect(task, line)
        except MemoryError:
            answer = {"outcome": "unreadable", "reason": "it needs more memory than an inspection has"}
        except OSError as error:
            answer = {"outcome": "unreadable", "reason": error.strerror or "it could not be read"}
        except Exception as error:  # noqa: BLE001  (the guard of this boundary: a bug in a parser must have a name)
            answer = {"outcome": "unreadable", "reason": f"the parser failed: {_place(error)}"}
        # Closed before the answer: where this hangs, the delay belongs to this file.
        os.close(task.descriptor)
        line.end()
        if line.hangs:
            answer["opener_hangs"] = True
        return json.dumps(answer).encode()

    def _inspect(self, task: Task, line: Line) -> dict[str, object]:
        name = task.path.rpartition("/")[2]
        identity = self._sniff(task, name, line.folder(0))
        traced, reason = None, None
        if identity is not None or (BLOB.fullmatch(name) and task.size >= BLOB_MIN_BYTES):
            traced, reason = self._origin(task.path, line)
        if traced is not None and traced.name is not None:
            identity = self._sniff(task, traced.name, traced.beside) or identity
        if not _is_still(task.descriptor, task.size, task.mtime_ns):
            return {"outcome": "changed", "reason": "it was written to while it was read"}
        if identity is None:
            return {"outcome": "not_a_model"}
        origin = traced.claims if traced is not None else None
        return {"outcome": "model", "identity": asdict(identity), "origin": origin, "reason": reason}

    def _sniff(self, task: Task, name: str, beside: Folder | None) -> Identity | None:
        return sniff(FileWindow(task.descriptor, task.size, BUDGET_BYTES, name, beside), self._formats)

    def _origin(self, path: str, line: Line) -> tuple[Traced | None, str | None]:
        """What the store says of the file, or why that could not be read: what the file is stands without it."""
        try:
            return trace(path, line, self._stores), None
        except Exception as error:  # noqa: BLE001  (the guard of this boundary)
            return None, f"its store could not be read: {_place(error)}"


def _is_still(descriptor: int, size: int, mtime_ns: int) -> bool:
    try:
        found = os.fstat(descriptor)
    except OSError:  # a FUSE mount with allow_root lets nobody ask, while the descriptor can be read
        return True
    return (found.st_size, found.st_mtime_ns) == (size, mtime_ns)


def _place(error: BaseException) -> str:
    """The error with module and line, from the deepest frame: no file's content gets into the text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {trace.tb_frame.f_globals.get('__name__')} line {trace.tb_lineno}"
    return type(error).__name__ + where
