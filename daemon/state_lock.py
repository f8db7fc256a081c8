"""The directory of the state: makes it for its owner alone, keeps a second daemon out."""

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from modelwarden.daemon.state_schema import StateError

LOCK = "state.lock"


def prepare_directory(directory: Path) -> None:
    """Make the directory, readable by its owner only; refuse one where others could plant files."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except OSError as error:
        raise StateError(
            f"the state directory {directory} cannot be made ({error.strerror}): run as root or name another one with "
            "--state-dir"
        ) from None
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or status.st_uid not in {0, os.geteuid()}:
        raise StateError(
            f"other users may write to {directory}: chown it to the daemon's user and chmod it 0700, or name another "
            "one with --state-dir"
        )


def lock(directory: Path) -> int:
    """The descriptor whose lock makes this process the only daemon on the directory."""
    path = directory / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StateError(f"{path} cannot be opened ({error.strerror}): run as root") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise StateError(
            f"another modelwarden (pid {pid}) works with {directory}: stop it, or name another directory with "
            "--state-dir"
        ) from None
    # A full disk must not stop the start: the pid is for people, the lock is what counts.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor
