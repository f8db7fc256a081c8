"""What systemd hears."""

import contextlib
import os
import socket
from pathlib import Path

import pytest

from modelwarden.daemon.notify import notify


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_manager_hears_one_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    """Given a service manager that listens, then it gets what was said, each in a datagram of its own."""
    name = f"@modelwarden-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify("READY=1")
        notify("WATCHDOG=1")
        assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all", "/dev/null", "x" * 200])
def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    """Given no service manager, or one that is gone, then nothing happens."""
    if address is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")


def test_manager_that_does_not_read_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a manager whose queue is full, then the daemon goes on after a moment."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        manager.bind(str(tmp_path / "notify"))
        other.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"x", str(tmp_path / "notify"))
        notify("WATCHDOG=1")
