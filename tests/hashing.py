"""A hasher at work for the time of a test."""

import asyncio
import hashlib
import os
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from modelwarden.daemon.command import HashFile
from modelwarden.daemon.event import FileHashed, FileIdentity
from modelwarden.daemon.hashing.hasher import Hasher
from modelwarden.daemon.state import State

SOON_S = 180
"""A hang is longer; a busy machine gives the child little."""


class HashDesk:
    """A hasher at work on a state, with what it answered."""

    def __init__(self, state: State, **settings: float) -> None:
        self.state = state
        self.answers: asyncio.Queue[FileHashed] = asyncio.Queue()
        self.pids: list[int] = []
        at_once = {"settle_s": 0.0, "silence_s": 30.0, **settings}
        self.hasher = Hasher(
            self.answers.put_nowait,
            time.monotonic_ns,
            state.hashes,
            register=self.pids.append,
            queue_limit=int(at_once.pop("queue_limit", 1024)),
            **at_once,
        )

    async def hash(self, command: HashFile) -> FileHashed:
        """Submit, wait for the answer."""
        assert self.hasher.submit(command)
        return await self.answer()

    async def answer(self) -> FileHashed:
        """The next answer."""
        async with asyncio.timeout(SOON_S):
            return await self.answers.get()

    async def begun(self, file: FileIdentity, read_bytes: int = 0) -> None:
        """Waits until so much of a file has been read."""
        async with asyncio.timeout(SOON_S):
            while (self.hasher._unsaved is None or self.hasher._unsaved[0] != file  # noqa: ASYNC110
                   or self.hasher._unsaved[1].read_bytes <= read_bytes):  # fmt: skip
                await asyncio.sleep(0.01)

    async def child(self) -> int:
        """The process that reads, once it does."""
        async with asyncio.timeout(SOON_S):
            while len(self.pids) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return self.pids[-1]


def hashing(directory: Path, scenario: Callable[[HashDesk], Awaitable[None]], **settings: float) -> HashDesk:
    """Run a scenario while a hasher works on the state in this directory; nothing of it is left behind."""

    async def run() -> HashDesk:
        with State.open(directory) as state:
            desk = HashDesk(state, **settings)
            task = asyncio.create_task(desk.hasher.run())
            try:
                await scenario(desk)
            finally:
                await desk.hasher.close()
                async with asyncio.timeout(SOON_S):
                    await task
        return desk

    return asyncio.run(run())


def hash_command(path: Path, *pids: int) -> HashFile:
    """The command for a file as it is now."""
    found = path.stat()
    file = FileIdentity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return HashFile(file, str(path), pids or (os.getpid(),))


def sum_of(path: Path) -> str:
    """What hashlib says."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make(path: Path, size: int, seed: int = 0) -> Path:
    """A file of which no two pages are equal."""
    path.write_bytes(random.Random(seed).randbytes(size))
    return path
