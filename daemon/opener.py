"""The child program that opens files for inspection: privileged, and easy to replace when one hangs.

It imports as little as possible, because it counts towards the daemon's memory. The descriptor goes
straight to the worker: the daemon never holds it, as even closing a file on a FUSE mount can block.
"""

from _socket import SCM_RIGHTS, SOL_SOCKET, socket
from os import close
from sys import byteorder

from modelwarden.daemon.locate import OPENED, UNREADABLE, Request, locate
from modelwarden.daemon.sandbox import die_with_parent

MESSAGE_LIMIT = 1 << 16


def main(control_descriptor: int, channel_descriptor: int) -> None:
    """Serve requests on the control socket, one at a time, until the daemon closes it."""
    die_with_parent()
    control, channel = socket(fileno=control_descriptor), socket(fileno=channel_descriptor)
    control.send(b"ready")
    while message := control.recv(MESSAGE_LIMIT):
        request = Request.decode(message)
        descriptor, outcome = locate(request)
        if outcome == OPENED:
            rights = (SOL_SOCKET, SCM_RIGHTS, descriptor.to_bytes(4, byteorder))
            try:
                channel.sendmsg((b"%d %d" % (request.size, request.mtime_ns),), (rights,))
            except OSError:  # the daemon will see that for itself
                outcome = UNREADABLE + b" the reader is gone"
            # Closed before the answer: where this hangs, the delay belongs to this file.
            close(descriptor)
        control.send(outcome)
