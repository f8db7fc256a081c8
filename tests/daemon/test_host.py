"""Which host and which boot this is."""

from pathlib import Path
from uuid import UUID

import pytest

from modelwarden.daemon.host import boot_id, host_id

MACHINE = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def machine_id(tmp_path: Path) -> Path:
    """Where the machine says who it is."""
    path = tmp_path / "machine-id"
    path.write_text(f"{MACHINE}\n")
    return path


def test_identifier_is_stable_and_does_not_give_the_machine_away(machine_id: Path) -> None:
    """The same machine has the same identifier, from which its own cannot be read."""
    found = host_id(None, machine_id)
    assert found == host_id("another that was stored", machine_id)
    assert str(UUID(found)) == found
    assert found.replace("-", "") != MACHINE
    machine_id.write_text("f" * 32)
    assert host_id(None, machine_id) != found


@pytest.mark.parametrize("content", [b"", b"uninitialized\n", b"0123", b"\xff\xfe"])
def test_machine_that_does_not_say(machine_id: Path, content: bytes) -> None:
    """Where there is no machine-id, what was stored stays; the first time there is a new one."""
    machine_id.write_bytes(content)
    assert host_id("stored", machine_id) == "stored"
    first, second = host_id(None, machine_id), host_id(None, machine_id)
    assert first != second
    machine_id.unlink()
    assert host_id("stored", machine_id) == "stored"


def test_boot() -> None:
    """The kernel names its boot, the same each time."""
    assert boot_id() == boot_id()
    assert str(UUID(boot_id())) == boot_id()
