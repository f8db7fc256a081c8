"""Answers the core's `DescribeContainer`: a child program for each question, one at a time.

Engines without root keep their files in the homes of users, who can write into them what they like.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from modelwarden.daemon.command import DescribeContainer
from modelwarden.daemon.event import ContainerDescribed
from modelwarden.daemon.identify.containers.engine import Description
from modelwarden.daemon.readers import Reader

DEADLINE_S = 3.0
"""For one container: start of the child, search and parsing."""
QUEUE_LIMIT = 256
TEXT_MAX = 200
STUCK_MAX = 8
"""Children that may hang in the kernel before only root's files are looked at: users' may lie on any file system."""
REAP_S = 0.1

UNKNOWN = Description()


class Describer:
    """A bounded queue of containers to be described; for the loop's thread only."""

    def __init__(
        self,
        answer: Callable[[ContainerDescribed], None],
        clock: Callable[[], int],
        *,
        register: Callable[[int], None] | None = None,
        root: str = "/",
        queue_limit: int = QUEUE_LIMIT,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._answer = answer
        self._clock = clock
        self._register = register or (lambda _pid: None)
        self._root = root
        self._queue_limit = queue_limit
        self._deadline_s = deadline_s
        self._waiting: OrderedDict[DescribeContainer, None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._child: Reader | None = None
        self._stuck: list[tuple[Reader, int]] = []
        self._closing = False
        self.dropped = 0
        """Questions that a full queue answered with nothing known."""

    def submit(self, command: DescribeContainer) -> None:
        """Queue a question; what waits already is not queued twice. Each is answered, also when nothing is known."""
        if self._closing or command in self._waiting:
            return
        if len(self._waiting) >= self._queue_limit:
            self.dropped += 1
            asyncio.get_running_loop().call_soon(self._tell, command, UNKNOWN)
            return
        self._waiting[command] = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="describer")

    async def close(self) -> None:
        """End the child; what still waits is not answered."""
        self._closing = True
        self._waiting.clear()
        if self._child is not None:
            self._child.kill()
        if self._task is not None:
            async with asyncio.timeout(DEADLINE_S):
                await self._task
        for child, _ in self._stuck:
            child.abandon()

    async def _run(self) -> None:
        while self._waiting:
            command = next(iter(self._waiting))
            description = await self._describe(command)
            # It leaves the queue only now, so that the same question is not asked again meanwhile.
            self._waiting.pop(command, None)
            self._tell(command, description)

    def _tell(self, command: DescribeContainer, description: Description) -> None:
        if not self._closing:
            self._answer(ContainerDescribed(self._clock(), command.container, command.uid, description))

    async def _describe(self, command: DescribeContainer) -> Description:
        self._stuck = [(child, uid) for child, uid in self._stuck if not child.is_reaped()]
        is_refused = len(self._stuck) >= STUCK_MAX or any(uid == command.uid for _, uid in self._stuck)
        if command.uid != 0 and is_refused:
            return UNKNOWN
        asked = {"engine": command.container.engine, "id": command.container.id, "uid": command.uid, "root": self._root}
        try:
            self._child = child = Reader("modelwarden.daemon.container_reader")
        except OSError:
            return UNKNOWN
        self._register(child.pid)
        try:
            child.send(json.dumps(asked).encode())
            return understood(await child.receive(self._deadline_s))
        except (TimeoutError, OSError):
            return UNKNOWN
        finally:
            self._child = None
            await self._end(child, command.uid)

    async def _end(self, child: Reader, uid: int) -> None:
        child.kill()
        child.close()
        deadline = asyncio.get_running_loop().time() + REAP_S
        while not child.is_reaped():
            if asyncio.get_running_loop().time() > deadline:
                self._stuck.append((child, uid))
                return
            await asyncio.sleep(0.002)


def understood(message: bytes) -> Description:
    """The child's answer, which is not trusted to keep its shape or length; nothing known when it does not."""
    try:
        found = msgspec.json.decode(message, type=Description)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return UNKNOWN
    return Description(*(text[:TEXT_MAX] if text else None for text in (found.name, found.image)))
