"""Answers the core's `InspectFile` with the help of two child programs, one file at a time.

The opener finds the file and hands its descriptor to the worker, the worker says what it is. Neither
is trusted to answer, to answer in time, or to die when it is killed.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from modelwarden.daemon.command import InspectFile
from modelwarden.daemon.event import FileIdentity, FileInspected, Inspection
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.locate import CHANGED, GONE, OPENED, Request
from modelwarden.daemon.readers import Readers

DEADLINE_S = 2.0
"""For opening a file, and again for reading it."""
IDLE_S = 10.0
FILES_PER_WORKER = 64
"""Then both children are replaced: limits of processor time and memory are those of a process."""
STUCK_LIMIT = 8
"""Pairs of children that may hang in the kernel before files on devices without a disk are left alone."""
STUCK_MAX = 32
"""And before nothing is inspected any more: each keeps some 8 MB until its file system answers or is unmounted."""
FATAL_LIMIT = 1024
PIDS_LIMIT = 8


class Answer(msgspec.Struct, frozen=True):
    """What the worker says of a file; it is not trusted to keep the shape."""

    outcome: Literal["model", "not_a_model", "changed", "unreadable"]
    identity: Identity | None = None
    reason: str | None = None
    origin: Source | None = None
    opener_hangs: bool = False
    """Something near the file does not answer; the file itself did."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an inspection ended."""

    outcome: Inspection
    identity: Identity | None = None
    reason: str | None = None
    origin: Source | None = None


class Inspector:
    """A queue of inspections and the children that carry them out; for the loop's thread only."""

    def __init__(
        self,
        answer: Callable[[FileInspected], None],
        clock: Callable[[], int],
        *,
        queue_limit: int = 1024,
        register: Callable[[int], None] | None = None,
        idle_s: float = IDLE_S,
    ) -> None:
        self._answer = answer
        self._clock = clock
        self._queue_limit = queue_limit
        self._idle_s = idle_s
        self._register = register or (lambda _pid: None)
        self._waiting: OrderedDict[FileIdentity, InspectFile] = OrderedDict()
        self._current: FileIdentity | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._ended = asyncio.Event()
        self._ended.set()
        self._readers: Readers | None = None
        self._stuck: list[tuple[Readers, int]] = []
        self._fatal: OrderedDict[FileIdentity, str] = OrderedDict()
        self.dropped = 0
        """Inspections that a full queue refused."""

    @property
    def waiting(self) -> int:
        """Inspections in the queue."""
        return len(self._waiting)

    def submit(self, command: InspectFile) -> bool:
        """Queue an inspection; false when the queue is full. A file that waits already is not queued twice."""
        if command.file == self._current:
            return True
        known = self._waiting.get(command.file)
        if known is not None:
            pids = tuple(dict.fromkeys((*known.pids, *command.pids)))[:PIDS_LIMIT]
            self._waiting[command.file] = replace(known, pids=pids)
            return True
        if len(self._waiting) >= self._queue_limit:
            self.dropped += 1
            return False
        self._waiting[command.file] = command
        self._wake.set()
        return True

    async def run(self) -> None:
        """Inspect what is submitted, in order, until `close`."""
        self._ended.clear()
        try:
            while not self._closing:
                if not self._waiting:
                    await self._rest()
                    continue
                self._current, command = self._waiting.popitem(last=False)
                verdict = await self._inspect(command)
                self._current = None
                if not self._closing:
                    self._tell(command.file, verdict)
        finally:
            await self._end_readers(device=0)
            for readers, _ in self._stuck:
                readers.abandon()
            self._ended.set()

    async def close(self) -> None:
        """End the children and `run`; what still waits is not answered."""
        self._closing = True
        self._wake.set()
        if self._readers is not None:
            self._readers.kill()
        async with asyncio.timeout(DEADLINE_S):
            await self._ended.wait()

    def _tell(self, file: FileIdentity, verdict: Verdict) -> None:
        found = (verdict.outcome, verdict.identity, verdict.reason, verdict.origin)
        self._answer(FileInspected(self._clock(), file, *found))

    async def _rest(self) -> None:
        self._wake.clear()
        self._reap()
        # Children that rest are memory; those that hang are looked at again now and then.
        needs_look = self._readers is not None or self._stuck
        try:
            async with asyncio.timeout(self._idle_s if needs_look else None):
                await self._wake.wait()
        except TimeoutError:
            await self._end_readers(device=0)

    async def _inspect(self, command: InspectFile) -> Verdict:
        refusal = self._refusal(command.file)
        if refusal is not None:
            return Verdict(Inspection.UNREADABLE, reason=refusal)
        try:
            readers, trouble = await self._ready_readers()
        except OSError as error:
            return Verdict(Inspection.UNREADABLE, reason=f"the reader could not be started: {error.strerror}")
        if trouble is not None:
            await self._end_readers(device=0)
            return Verdict(Inspection.UNREADABLE, reason=trouble)
        readers.served += 1
        verdict = await self._open(readers, command)
        if verdict is None:
            verdict = await self._read(readers, command.file)
        return verdict

    def _refusal(self, file: FileIdentity) -> str | None:
        """Why the file is not looked at: what outlasted or killed a reader once is not tried again.

        The device is what the event claims. A hang on a disk's file comes from its path, which may have
        been led astray, so it says nothing of the other files there.
        """
        self._reap()
        has_disk = os.major(file.device) != 0
        if not has_disk and any(device == file.device for _, device in self._stuck):
            return "a reader still hangs on its file system, which does not answer"
        if len(self._stuck) >= (STUCK_MAX if has_disk else STUCK_LIMIT):
            return f"{len(self._stuck)} readers hang on file systems that do not answer; unmount them"
        return self._fatal.get(file)

    async def _ready_readers(self) -> tuple[Readers, str | None]:
        readers = self._readers
        # One that died between two files, for want of memory in the machine say, died of neither.
        if readers is not None and (readers.served >= FILES_PER_WORKER or not readers.are_alive()):
            await self._end_readers(device=0)
        if self._readers is not None:
            return self._readers, None
        self._readers = readers = Readers()
        return readers, await readers.ready(self._register)

    async def _open(self, readers: Readers, command: InspectFile) -> Verdict | None:
        """Nothing when the worker has got the file."""
        file = command.file
        identity = (file.device, file.inode, file.size, file.mtime_ns, file.ctime_ns)
        path = command.path.encode("utf-8", "surrogateescape" if _is_name(command.path) else "replace")
        try:
            readers.opener.send(Request(identity, path, command.pids[:PIDS_LIMIT]).encode())
            message = await readers.opener.receive(DEADLINE_S)
        except TimeoutError:
            reason = f"its file system did not answer within {DEADLINE_S:.0f} s"
            return await self._give_up(file, reason)
        except OSError:
            message = b""
        outcome, _, detail = message.partition(b" ")
        match outcome:
            case b"opened" if message == OPENED:
                return None
            case b"changed" if message == CHANGED:
                return Verdict(Inspection.CHANGED, reason="another file or other content stands where it was")
            case b"gone" if message == GONE:
                return Verdict(Inspection.GONE, reason="no process holds it and no path leads to it any more")
            case b"unreadable":
                return Verdict(Inspection.UNREADABLE, reason=detail.decode("utf-8", "replace"))
        return await self._give_up(file, "the opener died on it", readers.opener.fate)

    async def _read(self, readers: Readers, file: FileIdentity) -> Verdict:
        try:
            message = await readers.worker.receive(DEADLINE_S)
            if message:
                answer = msgspec.json.decode(message, type=Answer)
                is_whole = (answer.outcome == "model") == (answer.identity is not None)
                if is_whole and answer.opener_hangs:
                    # On another file system than this file's: no file is refused for it.
                    await self._end_readers(device=0)
                if is_whole:
                    return Verdict(Inspection(answer.outcome), answer.identity, answer.reason, answer.origin)
                message = b""
        except TimeoutError:
            verdict = await self._give_up(file, f"it could not be read within {DEADLINE_S:.0f} s")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            verdict = await self._give_up(file, "the reader answered nonsense")
        else:
            verdict = await self._give_up(file, "the reader died on it", readers.worker.fate)
        self._fatal[file] = verdict.reason or ""
        if len(self._fatal) > FATAL_LIMIT:
            self._fatal.popitem(last=False)
        return verdict

    async def _give_up(self, file: FileIdentity, reason: str, fate: Callable[[], str] | None = None) -> Verdict:
        # A child that has just died is reaped within a moment; one that hangs is killed.
        if fate is not None:
            await asyncio.sleep(0.01)
            reason = f"{reason}: {fate()}"
        await self._end_readers(device=file.device)
        return Verdict(Inspection.UNREADABLE, reason=reason)

    async def _end_readers(self, *, device: int) -> None:
        readers, self._readers = self._readers, None
        if readers is not None and not await readers.end():
            self._stuck.append((readers, device))

    def _reap(self) -> None:
        self._stuck = [(readers, device) for readers, device in self._stuck if not readers.are_reaped()]


def _is_name(path: str) -> bool:
    """Whether the path is one that Python decoded from bytes (PEP 383)."""
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
