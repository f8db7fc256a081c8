"""Requests to find a file, what comes of them, and the processes through which it is found."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelwarden.daemon.locate import OPENED, Request, locate

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
DEAD = 0x3FFFFF
"""A process id that is hardly ever in use."""


def request_for(path: Path | bytes, *, named: bytes | None = None, pids: tuple[int, ...] = ()) -> Request:
    """The request for a file as it is now."""
    raw = os.fsencode(path)
    return Request(state(Path(os.fsdecode(raw)).stat()), raw if named is None else named, pids)


def state(found: os.stat_result) -> tuple[int, int, int, int, int]:
    """The identity in the order of a request."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def outcome(request: Request) -> bytes:
    """The outcome alone."""
    descriptor, verdict = locate(request)
    if descriptor >= 0:
        os.close(descriptor)
    assert (descriptor >= 0) == (verdict == OPENED)
    return verdict


def content(request: Request) -> bytes:
    """What the file that was found holds."""
    descriptor, verdict = locate(request)
    assert verdict == OPENED
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


@contextmanager
def process(code: str, *arguments: str | Path, unshare: bool = False) -> Iterator[int]:
    """A process that runs `code`, says so, and waits."""
    command = [sys.executable, "-c", code + "\nprint('up', flush=True); input()", *map(str, arguments)]
    if unshare:
        command = ["unshare", "-m", "--propagation", "private", *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"up\n"
        try:
            yield running.pid
        finally:
            running.kill()
