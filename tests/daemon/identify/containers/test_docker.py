"""Docker: its cgroups under both drivers, and its record of a container."""

import json

import pytest
from tests.cgroups import ID, OTHER, USER, described, documents

from modelwarden.daemon.identify.containers.docker import ENGINE
from modelwarden.daemon.identify.containers.engine import Container, Description


@pytest.mark.parametrize(
    "cgroup",
    [
        f"/system.slice/docker-{ID}.scope",
        f"/docker/{ID}",
        f"/docker/{ID}/init.scope",
        f"{USER}/user.slice/docker-{ID}.scope",
        f"/docker/{OTHER}/docker/{ID}",
        f"/system.slice/docker-{OTHER}.scope/docker/{ID}/system.slice/x.service",
    ],
)
def test_knows_its_containers(cgroup: str) -> None:
    """Under systemd's driver and its own, in a user's session, and the inner one of two."""
    assert ENGINE.container(cgroup) == Container("docker", ID)


@pytest.mark.parametrize(
    "cgroup",
    ["/system.slice/docker.service", f"/system.slice/docker-{ID[:-1]}.scope", f"/docker/{ID}x", "/docker/buildkit/abc"],
)
def test_leaves_others_alone(cgroup: str) -> None:
    """The engine itself and names of another length are no containers."""
    assert ENGINE.container(cgroup) is None


def test_reads_its_record() -> None:
    """Name and image, whatever else stands there."""
    record = {"ID": ID, "Name": "/chat", "Config": {"Image": "ollama/ollama:0.33", "Env": ["A=b"]}, "State": {"Pid": 1}}
    assert described(ENGINE, json.dumps(record).encode()) == Description("chat", "ollama/ollama:0.33")


def test_bounds_what_it_reads() -> None:
    """A name of any length is cut, and can be encoded."""
    found = described(ENGINE, json.dumps({"Name": "/" + "n" * 5000}).encode())
    assert found == Description("n" * 200, None)


def test_looks_in_root_s_or_the_user_s_folder() -> None:
    """Each has a folder of its own."""
    assert documents(ENGINE) == (f"/var/lib/docker/containers/{ID}/config.v2.json",)
    assert documents(ENGINE, home=True) == (f"/home/dana/.local/share/docker/containers/{ID}/config.v2.json",)
