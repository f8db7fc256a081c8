"""The child program that opens files for inspection: privileged, and easy to replace when one hangs.

It imports as little as possible, because it counts towards the daemon's memory. Descriptors go
straight to the worker: the daemon never holds one, as even closing a file on a FUSE mount can block.
"""

from _socket import MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET, socket
from os import close
from select import POLLIN, poll
from sys import byteorder

from modelwarden.daemon.locate import OPENED, UNREADABLE, Request, locate
from modelwarden.daemon.near import END
from modelwarden.daemon.neighbourhood import Neighbourhood
from modelwarden.daemon.sandbox import die_with_parent

MESSAGE_LIMIT = 1 << 16
REQUEST_LIMIT = 2048


def main(control_descriptor: int, channel_descriptor: int) -> None:
    """Serve requests of the daemon and of the worker, one at a time, until the daemon closes its socket."""
    die_with_parent()
    control, channel = socket(fileno=control_descriptor), socket(fileno=channel_descriptor)
    opener = Opener(channel)
    waiting = poll()
    waiting.register(control_descriptor, POLLIN)
    waiting.register(channel_descriptor, POLLIN)
    control.send(b"ready")
    while True:
        ready = [descriptor for descriptor, _ in waiting.poll()]
        # The worker's last word on a file is older than the daemon's request for the next one.
        if channel_descriptor in ready and not opener.serve_worker():
            waiting.unregister(channel_descriptor)
        elif control_descriptor in ready:
            message = control.recv(MESSAGE_LIMIT)
            if not message:
                return
            control.send(opener.open(Request.decode(message)))


class Opener:
    """Opens files for one worker, and then the documents near the one that it reads."""

    def __init__(self, channel: socket) -> None:
        self._channel = channel
        self._near: Neighbourhood | None = None
        self._variables: tuple[bytes, ...] | None = None

    def open(self, request: Request) -> bytes:
        """Hand a file to the worker; the result is the outcome for the daemon."""
        self._leave()
        descriptor, outcome = locate(request)
        if outcome != OPENED:
            return outcome
        self._variables = self._variables or ()
        self._near = Neighbourhood(request, descriptor, self._variables)
        if not self._send(b"%d %d\0" % (request.size, request.mtime_ns) + request.path, descriptor):
            outcome = UNREADABLE + b" the reader is gone"  # the daemon will see that for itself
        return outcome

    def serve_worker(self) -> bool:
        """Answer one message of the worker; false when it will not be heard any more."""
        try:
            message = self._channel.recv(REQUEST_LIMIT)
        except OSError:
            return False
        if not message:
            return False
        # Which variables move a store is told before the worker has seen a file, and counts once.
        if self._variables is None:
            self._variables = tuple(message.split())
            return True
        if self._near is None:
            return False
        if message == END:
            self._leave()
            return self._send(END)
        return self._send(*self._near.answer(message))

    def _leave(self) -> None:
        if self._near is not None:
            self._near.close()
            self._near = None

    def _send(self, message: bytes, descriptor: int = -1) -> bool:
        rights = [(SOL_SOCKET, SCM_RIGHTS, descriptor.to_bytes(4, byteorder))] if descriptor >= 0 else []
        try:
            self._channel.sendmsg((message,), rights, MSG_DONTWAIT)
        except OSError:  # it is gone, or does not listen to what it asked for
            return False
        finally:
            # Closed before the next word to anybody: where this hangs, the delay belongs to this file.
            if descriptor >= 0:
                close(descriptor)
        return True
