"""Tells systemd how we are: sd_notify(3) is one datagram."""

import os
import socket


def notify(state: str) -> None:
    """Sends `READY=1`, `STOPPING=1`, `WATCHDOG=1` …; does nothing when no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(1)
            connection.sendto(state.encode(), address)
    except OSError:
        # A service manager that does not listen will act by its own timeout: there is nothing better to do here.
        return
