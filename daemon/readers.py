"""Starts, addresses and ends the child programs that touch files for the daemon.

A child that sleeps in the kernel on a file system that never answers can be killed but not reaped:
nothing here waits for a process without a bound.
"""

import asyncio
import signal
import socket
from collections.abc import Callable

from modelwarden.daemon.child import start_child

MESSAGE_LIMIT = 1 << 16
"""An answer has some twenty claims of 200 characters, each of which JSON may write in twelve bytes."""
START_S = 10.0
"""A cold start on a loaded machine takes a second; this is for one that never comes."""
REAP_S = 0.1
_BOOT = "import sys; sys.path[:] = sys.argv[{1}:]; from {0} import main; main(*map(int, sys.argv[1:{1}]))"


class Reader:
    """One child program, the socket over which the daemon talks to it, and channels to others that it is given."""

    def __init__(self, program: str, *channels: socket.socket) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            descriptors = (theirs.fileno(), *(channel.fileno() for channel in channels))
            boot = _BOOT.format(program, len(descriptors) + 1)
            self._process = start_child(boot, [*map(str, descriptors)], descriptors)
        ours.setblocking(False)  # noqa: FBT003
        self._socket = ours

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, message: bytes) -> None:
        """Hand a message over; raises `OSError` when the child is gone."""
        self._socket.send(message)

    async def receive(self, deadline_s: float) -> bytes:
        """The next message: empty when the child is gone, `TimeoutError` when it says nothing in time."""
        async with asyncio.timeout(deadline_s):
            try:
                return await asyncio.get_running_loop().sock_recv(self._socket, MESSAGE_LIMIT)
            except ConnectionError:
                return b""

    def kill(self) -> None:
        """End the child, as far as the kernel can: who waits for its answer gets an empty one."""
        self._process.kill()

    def abandon(self) -> None:
        """Leave a child that hangs to init, which reaps it after the daemon's end."""
        if self._process.returncode is None:
            self._process.returncode = -signal.SIGKILL  # or its destructor would complain

    def close(self) -> None:
        """Give up the socket; nobody may wait on it any more."""
        self._socket.close()

    def is_reaped(self) -> bool:
        """Whether the child is gone altogether."""
        return self._process.poll() is not None

    def fate(self) -> str:
        """How it ended, for a person."""
        code = self._process.poll()
        if code is None:
            return "it hangs"
        if code >= 0:
            return f"it ended with status {code}"
        return f"it ended by {signal.Signals(-code).name}"


class Readers:
    """One opener with one worker, joined by a channel that only they hold."""

    def __init__(self, worker: str = "modelwarden.daemon.worker") -> None:
        """`worker` is the program that is handed what the opener opens."""
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with left, right:
            self.opener = Reader("modelwarden.daemon.opener", left)
            try:
                self.worker = Reader(worker, right)
            except OSError:
                self.opener.kill()
                self.opener.close()
                raise
        self.served = 0
        """Files given to them so far."""

    async def ready(self, register: Callable[[int], None]) -> str | None:
        """Make both known, wait until they can work; the result is what keeps them from it."""
        for reader in (self.opener, self.worker):
            register(reader.pid)
        for reader in (self.opener, self.worker):
            try:
                message = await reader.receive(START_S)
            except TimeoutError:
                return "the reader did not start in time"
            if message != b"ready":
                return message.decode("utf-8", "replace") or f"the reader did not start: {reader.fate()}"
        return None

    def are_alive(self) -> bool:
        """Whether neither has ended."""
        return not (self.opener.is_reaped() or self.worker.is_reaped())

    def kill(self) -> None:
        """End both, as far as the kernel can."""
        self.opener.kill()
        self.worker.kill()

    async def end(self) -> bool:
        """Kill both, wait a moment; the result is whether both are gone."""
        self.kill()
        self.opener.close()
        self.worker.close()
        deadline = asyncio.get_running_loop().time() + REAP_S
        while not self.are_reaped():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.002)
        return True

    def abandon(self) -> None:
        """Leave to init what hangs."""
        self.opener.abandon()
        self.worker.abandon()

    def are_reaped(self) -> bool:
        """Whether both are gone altogether."""
        return self.opener.is_reaped() & self.worker.is_reaped()
