"""An inspector at work for the time of a test."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from modelwarden.daemon.command import InspectFile
from modelwarden.daemon.event import FileIdentity, FileInspected
from modelwarden.daemon.inspector import Inspector

SOON_S = 15


class Desk:
    """An inspector at work, with what it answered."""

    def __init__(self, *, queue_limit: int = 1024) -> None:
        self.answers: asyncio.Queue[FileInspected] = asyncio.Queue()
        self.pids: list[int] = []
        self.inspector = Inspector(
            self.answers.put_nowait,
            time.monotonic_ns,
            queue_limit=queue_limit,
            register=self.pids.append,
            idle_s=0.3,
        )

    async def inspect(self, command: InspectFile) -> FileInspected:
        """Submit, wait for the answer."""
        assert self.inspector.submit(command)
        async with asyncio.timeout(SOON_S):
            return await self.answers.get()


def at_work(scenario: Callable[[Desk], Awaitable[None]], *, queue_limit: int = 1024) -> Desk:
    """Run a scenario while an inspector works; nothing of it is left behind."""

    async def run() -> Desk:
        desk = Desk(queue_limit=queue_limit)
        task = asyncio.create_task(desk.inspector.run())
        try:
            await scenario(desk)
        finally:
            await desk.inspector.close()
            async with asyncio.timeout(SOON_S):
                await task
        return desk

    return asyncio.run(run())


def command_for(path: Path, *pids: int) -> InspectFile:
    """The command for a file as it is now."""
    found = path.stat()
    identity = FileIdentity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return InspectFile(identity, str(path), pids or (os.getpid(),))


def alive(pid: int) -> bool:
    """Whether a process runs or waits to be reaped."""
    return Path(f"/proc/{pid}").exists()
