"""systemd-nspawn: machines by name, unescaped."""

import pytest

from modelwarden.daemon.identify.containers.engine import Container
from modelwarden.daemon.identify.containers.nspawn import ENGINE


@pytest.mark.parametrize(
    ("cgroup", "name"),
    [
        ("/machine.slice/machine-web.scope", "web"),
        ("/machine.slice/machine-my\\x2dweb.scope/payload/system.slice/nginx.service", "my-web"),
        ("/machine.slice/systemd-nspawn@web.service/payload", "web"),
    ],
)
def test_knows_its_containers(cgroup: str, name: str) -> None:
    """As a scope or as a service."""
    assert ENGINE.container(cgroup) == Container("systemd-nspawn", name)


@pytest.mark.parametrize(
    "cgroup",
    [
        "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
        "/machine.slice/machine-web.scope/supervisor",
        "/machine.slice/machine-a\\x2fb.scope",
        "/machine.slice",
    ],
)
def test_leaves_others_alone(cgroup: str) -> None:
    """Virtual machines, the supervisor, and names that no machine can have."""
    assert ENGINE.container(cgroup) is None
