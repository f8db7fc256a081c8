"""Has one file summed up by an opener and a hashing child, and gets rid of both when they hang.

As with the inspector, neither is trusted to answer, to answer in time, or to die when it is killed.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from modelwarden.daemon.command import HashFile
from modelwarden.daemon.event import FileIdentity
from modelwarden.daemon.hashing.order import CHANGED, UNREADABLE, Order, progress_in, sum_in
from modelwarden.daemon.locate import CHANGED as OTHER
from modelwarden.daemon.locate import GONE, OPENED, Request
from modelwarden.daemon.readers import Reader, Readers
from modelwarden.daemon.state_hashes import Sum

WORKER = "modelwarden.daemon.hashing.worker"
FILES_PER_WORKER = 64
STUCK_LIMIT = 4
"""Pairs of children that may hang in the kernel before nothing is read any more until one of them is gone."""
PIDS_LIMIT = 8


class UnreadableError(Exception):
    """There is no sum; the message is the reason, in words for a person."""


class ChangedError(UnreadableError):
    """The state of the file that was asked for is gone, and so is what had been summed up of it."""


class Reading:
    """The children, started when they are needed; for the loop's thread only."""

    def __init__(self, register: Callable[[int], None], silence_s: float) -> None:
        """`silence_s`: who has said nothing for so long, and does not wait for a processor, hangs."""
        self._register = register
        self._silence_s = silence_s
        self._readers: Readers | None = None
        self._stuck: list[Readers] = []

    async def sha256(self, command: HashFile, known: Sum, note: Callable[[Sum], Awaitable[None]]) -> str:
        """The sum, from where `known` had come to; `note` hears how far it is. Raises `UnreadableError`."""
        try:
            readers = await self._ready()
            readers.served += 1
            await self._open(readers, command)
            return await self._sum(readers.worker, command.file, known, note)
        except TimeoutError:
            reason = f"its file system did not answer within {self._silence_s:g} s"
        except OSError:
            reason = "the reader died on it"
        except ValueError:
            reason = "the reader answered nonsense"
        await self.end()
        raise UnreadableError(reason)

    def kill(self) -> None:
        """End the children, as far as the kernel can: who waits for them hears that they are gone."""
        if self._readers is not None:
            self._readers.kill()

    async def end(self) -> None:
        """End the children, and wait for that a moment."""
        readers, self._readers = self._readers, None
        self._stuck = [one for one in self._stuck if not one.are_reaped()]
        if readers is not None and not await readers.end():
            self._stuck.append(readers)

    def abandon(self) -> None:
        """Leave to init what hangs."""
        for readers in self._stuck:
            readers.abandon()

    async def _ready(self) -> Readers:
        readers = self._readers
        if readers is not None and readers.served < FILES_PER_WORKER and readers.are_alive():
            return readers
        await self.end()
        if len(self._stuck) >= STUCK_LIMIT:
            raise UnreadableError(f"{len(self._stuck)} readers hang on file systems that do not answer; unmount them")
        try:
            self._readers = readers = Readers(WORKER)
        except OSError as error:
            raise UnreadableError(f"the reader could not be started: {error.strerror}") from None
        trouble = await readers.ready(self._register)
        if trouble is not None:
            await self.end()
            raise UnreadableError(trouble)
        return readers

    async def _open(self, readers: Readers, command: HashFile) -> None:
        """The worker has got the file when this returns."""
        file = command.file
        identity = (file.device, file.inode, file.size, file.mtime_ns, file.ctime_ns)
        try:
            path = command.path.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # not a name that Python decoded from bytes (PEP 383)
            path = b""
        readers.opener.send(Request(identity, path, command.pids[:PIDS_LIMIT]).encode())
        message = await readers.opener.receive(self._silence_s)
        outcome, _, detail = message.partition(b" ")
        match outcome:
            case b"opened" if message == OPENED:
                return
            case b"changed" if message == OTHER:
                raise ChangedError("another file or other content stands where it was")
            case b"gone" if message == GONE:
                raise UnreadableError("no process holds it and no path leads to it any more")
            case b"unreadable":
                raise UnreadableError(detail.decode("utf-8", "replace"))
        raise OSError

    async def _sum(self, worker: Reader, file: FileIdentity, known: Sum, note: Callable[[Sum], Awaitable[None]]) -> str:
        """Raises `TimeoutError`, `OSError` when the worker is gone, `ValueError` when it makes no sense."""
        read_bytes = known.read_bytes
        worker.send(Order((file.size, file.mtime_ns, file.ctime_ns), known.read_bytes, known.midstate).encode())
        while message := await self._next_word(worker):
            if (sha256 := sum_in(message)) is not None:
                return sha256
            if message == CHANGED:
                raise ChangedError("it changed while it was read")
            if message.startswith(UNREADABLE):
                raise UnreadableError(message.partition(b" ")[2].decode("utf-8", "replace"))
            offset, midstate = progress_in(message)
            if not read_bytes <= offset <= file.size:
                raise ValueError(offset)
            read_bytes = offset
            await note(Sum(None, offset, midstate))
        raise OSError

    async def _next_word(self, worker: Reader) -> bytes:
        """The next message. Where nobody leaves it a processor, the child is not to blame."""
        while True:
            try:
                return await worker.receive(self._silence_s)
            except TimeoutError:
                if not _is_running(worker.pid):
                    raise


def _is_running(pid: int) -> bool:
    """Whether a process wants a processor (state R, proc(5)), instead of waiting for a disk or a file system."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"R"
    except (OSError, IndexError):
        return False
