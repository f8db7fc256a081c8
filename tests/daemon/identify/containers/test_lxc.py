"""LXC and what is built upon it: the name in the cgroup is all there is."""

import pytest

from modelwarden.daemon.identify.containers.engine import Container
from modelwarden.daemon.identify.containers.lxc import ENGINE


@pytest.mark.parametrize(
    ("cgroup", "name"),
    [
        ("/lxc.payload.web", "web"),
        ("/lxc.payload.web/system.slice/nginx.service", "web"),
        ("/lxc/web", "web"),
        ("/lxc.payload.project_web-1", "project_web-1"),
        ("/lxc.payload.outer/lxc.payload.inner", "inner"),
    ],
)
def test_knows_its_containers(cgroup: str, name: str) -> None:
    """Old and new names, with whatever runs inside; the inner one of two."""
    assert ENGINE.container(cgroup) == Container("lxc", name)


@pytest.mark.parametrize(
    "cgroup", ["/lxc.monitor.web", "/system.slice/lxc.service", "/lxc.payload.", "/lxc.payload.a b"]
)
def test_leaves_others_alone(cgroup: str) -> None:
    """The monitor stands beside the container."""
    assert ENGINE.container(cgroup) is None
