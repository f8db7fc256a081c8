"""The child program that opens an engine's files about one container as root, then reads them without rights."""

import json
import os
import pwd
import stat
from _socket import socket
from collections.abc import Iterator
from dataclasses import asdict
from typing import cast

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.documents import DOCUMENT_BYTES_MAX
from modelwarden.daemon.sandbox import die_with_parent, drop_user, limit, load_filter, reading_only
from modelwarden.probes.discover import discover

MESSAGE_LIMIT = 1 << 14
MEMORY_BYTES = 256 << 20
"""Address space, which the interpreter alone takes a tenth of."""
CPU_S = 3
DESCRIPTORS = 16
DOCUMENTS_MAX = 8

_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def main(control_descriptor: int) -> None:
    """Answer one question, then end: silence means that there is nothing to say, or no way to say it safely."""
    die_with_parent()
    control = socket(fileno=control_descriptor)
    asked = json.loads(control.recv(MESSAGE_LIMIT))
    container, uid = Container(asked["engine"], asked["id"]), int(asked["uid"])
    found = discover("modelwarden.daemon.identify.containers", "ENGINE", skip=("engine",))
    engine = next((one for one in cast("tuple[Engine, ...]", found) if one.name == container.engine), None)
    if engine is None:
        return
    program = reading_only()  # starts a process, which the limits forbid
    documents = list(_opened(engine, container, uid, asked["root"]))
    drop_user()
    die_with_parent()
    limit(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, descriptors=DESCRIPTORS)
    load_filter(program)
    descriptions = (engine.describe(container, _read(document)) for document in documents)
    description = next((one for one in descriptions if one is not None), Description())
    control.send(json.dumps(asdict(description)).encode())


def _opened(engine: Engine, container: Container, uid: int, root: str) -> Iterator[int]:
    """Descriptors of the documents that there are, and that nobody but their owner can have written."""
    home = run = None
    if uid != 0:
        try:
            home, run = pwd.getpwuid(uid).pw_dir, f"/run/user/{uid}"
        except (KeyError, OverflowError):
            return
    for path in engine.documents(container, home, run)[:DOCUMENTS_MAX]:
        try:
            descriptor = open_owned(root, path, uid)
        except (OSError, ValueError):
            continue
        if descriptor is not None:
            yield descriptor


def open_owned(root: str, path: str, uid: int) -> int | None:
    """A descriptor for reading a regular file of the user; `None` when it is not his, `OSError` when it is not there.

    Each folder on the way must belong to him or to root; for root's files, none may be one that everybody writes to.
    No link is followed: each name is opened in the folder before it, without a right to read until all is known.
    """
    names = path.strip("/").split("/")
    if not path.startswith("/") or not {"", ".", ".."}.isdisjoint(names):
        return None
    at = os.open(root, _LOOK | os.O_DIRECTORY)
    try:
        for index, name in enumerate(names):
            facts = os.fstat(at)
            if facts.st_uid not in {0, uid} or (uid == 0 and facts.st_mode & stat.S_IWOTH):
                return None
            is_last = index == len(names) - 1
            deeper = os.open(name, _LOOK if is_last else _LOOK | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = deeper
        facts = os.fstat(at)
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != uid or facts.st_size > DOCUMENT_BYTES_MAX:
            return None
        return os.open(f"/proc/self/fd/{at}", _READ)
    finally:
        os.close(at)


def _read(descriptor: int) -> bytes:
    """The whole file, as far as it can be read."""
    found = bytearray()
    try:
        while len(found) < DOCUMENT_BYTES_MAX and (piece := os.pread(descriptor, 1 << 20, len(found))):
            found += piece
    except OSError:
        return b""
    return bytes(found)
