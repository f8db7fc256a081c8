"""Which host and which boot this is, without giving the machine's own identifier away."""

import hashlib
import hmac
from pathlib import Path
from uuid import UUID, uuid4

_APPLICATION = UUID("6d0f3c1e-8c53-4b0e-9a43-5e7f3d0c6a21").bytes
"""Ours: the same machine has another identifier for every other program (machine-id(5) asks for that)."""
MACHINE_ID = Path("/etc/machine-id")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def host_id(stored: str | None = None, machine_id: Path = MACHINE_ID) -> str:
    """A stable identifier of this host; `stored` is what an earlier run used where there is no machine-id."""
    try:
        machine = bytes.fromhex(machine_id.read_text().strip())
    except (OSError, ValueError):
        machine = b""
    if len(machine) != 16:
        return stored or str(uuid4())
    return str(UUID(bytes=hmac.new(machine, _APPLICATION, hashlib.sha256).digest()[:16]))


def boot_id() -> str:
    """Of the running kernel; `unknown` where /proc does not tell."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"
