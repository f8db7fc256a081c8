"""Answers the core's `HashFile` in the background, one file at a time, never twice for one state of a file.

What an earlier run has summed up is answered at once; the rest waits its turn. Nobody pauses or resumes the child
that reads: its priority is so low that the kernel does.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from modelwarden.daemon.command import HashFile
from modelwarden.daemon.event import FileHashed, FileIdentity
from modelwarden.daemon.hashing.reading import ChangedError, Reading, UnreadableError
from modelwarden.daemon.state_hashes import StoredHashes, Sum
from modelwarden.daemon.state_schema import StateError

log = structlog.get_logger(__name__)

QUEUE_LIMIT = 1024
SILENCE_S = 30.0
"""A child that has said nothing for so long, and does not wait for a processor, hangs."""
SETTLE_S = 10.0
"""How long a file waits at least: who loads a model does that undisturbed, and what he has read is in the cache."""
SAVE_S = 30.0
"""How often an unfinished sum is stored; when it ends, or has to, it is stored at once."""
IDLE_S = 10.0
CLOSE_S = 0.8


class Hasher:
    """A queue of files and the children that read them; for the loop's thread only."""

    def __init__(
        self,
        answer: Callable[[FileHashed], None],
        clock: Callable[[], int],
        stored: StoredHashes,
        *,
        register: Callable[[int], None] = lambda _pid: None,
        queue_limit: int = QUEUE_LIMIT,
        settle_s: float = SETTLE_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._answer = answer
        self._clock = clock
        self._stored = stored
        self._queue_limit = queue_limit
        self._settle_s = settle_s
        self._reading = Reading(register, silence_s)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="hashes")
        self._asked: OrderedDict[FileIdentity, HashFile] = OrderedDict()
        self._waiting: OrderedDict[FileIdentity, tuple[HashFile, Sum, float]] = OrderedDict()
        self._current: FileIdentity | None = None
        self._unsaved: tuple[FileIdentity, Sum] | None = None
        self._saved_at = 0.0
        self._is_asked = asyncio.Event()
        self._is_due = asyncio.Event()
        self._closing = False
        self._ended = asyncio.Event()
        self._ended.set()
        self.dropped = 0
        """Files that a full queue refused."""
        self.forgotten = 0
        """Stored sums that left for others."""

    @property
    def waiting(self) -> int:
        """Files in the queue, and the one that is being read."""
        return len(self._asked) + len(self._waiting) + (self._current is not None)

    def submit(self, command: HashFile) -> bool:
        """Queue a file; false when the queue is full. One that waits, or is being read, is not queued twice."""
        if command.file in self._asked or command.file in self._waiting or command.file == self._current:
            return True
        if self.waiting >= self._queue_limit:
            self.dropped += 1
            return False
        self._asked[command.file] = command
        self._is_asked.set()
        return True

    async def run(self) -> None:
        """Answer what is submitted, until `close`."""
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._recall_all())
                group.create_task(self._read_all())
        finally:
            await self._reading.end()
            self._reading.abandon()
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S / 2):
                    await self._save()
            self._disk.shutdown(wait=False)
            self._ended.set()

    async def close(self) -> None:
        """End the children and `run`, store how far the sum has come; what still waits is not answered."""
        self._closing = True
        self._is_asked.set()
        self._is_due.set()
        self._reading.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._ended.wait()

    async def _recall_all(self) -> None:
        """Sorts what is asked into what is known and what has to be read."""
        loop = asyncio.get_running_loop()
        while not self._closing:
            if not self._asked:
                self._is_asked.clear()
                await self._is_asked.wait()
                continue
            file, command = next(iter(self._asked.items()))
            known = await self._find(file)
            del self._asked[file]
            if known.sha256 is not None:
                self._tell(file, known.sha256)
            else:
                self._waiting[file] = command, known, loop.time() + self._settle_s
                self._is_due.set()

    async def _read_all(self) -> None:
        """Reads what waits, each when it is due."""
        loop = asyncio.get_running_loop()
        while not self._closing:
            if not self._waiting:
                await self._rest(IDLE_S)
                continue
            file, (command, known, due) = next(iter(self._waiting.items()))
            if loop.time() < due:
                await self._rest(due - loop.time())
                continue
            del self._waiting[file]
            self._current, self._saved_at = file, loop.time()
            await self._read(command, known)
            self._current = None

    async def _rest(self, at_most_s: float) -> None:
        """Until something may be due. Children that rest are memory."""
        self._is_due.clear()
        try:
            async with asyncio.timeout(at_most_s):
                await self._is_due.wait()
        except TimeoutError:
            if not self._waiting:
                await self._reading.end()

    async def _read(self, command: HashFile, known: Sum) -> None:
        sha256, reason = None, None
        try:
            sha256 = await self._reading.sha256(command, known, self._note)
        except ChangedError as error:
            reason, self._unsaved = str(error), None
        except UnreadableError as error:
            reason = str(error)
        if sha256 is not None:
            self._unsaved = command.file, Sum(sha256)
        await self._save()
        self._tell(command.file, sha256, reason)

    async def _note(self, found: Sum) -> None:
        """Hears how far the sum under way has come."""
        if self._current is not None and found.midstate is not None:
            self._unsaved = self._current, found
        if asyncio.get_running_loop().time() - self._saved_at >= SAVE_S:
            await self._save()

    async def _save(self) -> None:
        """Stores how far the sum under way has come."""
        if self._unsaved is not None:
            await self._keep(*self._unsaved)
            self._unsaved = None

    async def _find(self, file: FileIdentity) -> Sum:
        """What is stored; in a thread, so that a slow disk holds nobody up. What is found was used."""
        loop = asyncio.get_running_loop()
        try:
            known = await loop.run_in_executor(self._disk, self._stored.find, file)
        except StateError as error:
            log.warning("hashes_not_read", reason=str(error), next_step="files are read anew")
            return Sum()
        if known.sha256 is not None:
            await self._keep(file, known)
        return known

    async def _keep(self, file: FileIdentity, found: Sum) -> None:
        loop = asyncio.get_running_loop()
        self._saved_at = loop.time()
        try:
            self.forgotten += await loop.run_in_executor(self._disk, self._stored.keep, file, found)
        except StateError as error:
            log.warning("hash_not_stored", reason=str(error), next_step="free space, or the file is read again later")

    def _tell(self, file: FileIdentity, sha256: str | None, reason: str | None = None) -> None:
        if not self._closing:
            self._answer(FileHashed(self._clock(), file, sha256, reason))
