"""Podman: its cgroups, those of root and of users, and its lists of containers."""

import json

import pytest
from tests.cgroups import ID, OTHER, USER, described, documents

from modelwarden.daemon.identify.containers.engine import Container, Description
from modelwarden.daemon.identify.containers.podman import ENGINE


@pytest.mark.parametrize(
    "cgroup",
    [
        f"/machine.slice/libpod-{ID}.scope",
        f"/machine.slice/libpod-{ID}.scope/container",
        f"{USER}/user.slice/libpod-{ID}.scope/container",
        f"/libpod_parent/libpod-{ID}",
        f"/system.slice/ollama.service/libpod-payload-{ID}",
        f"/machine.slice/machine-libpod_pod_{OTHER}.slice/libpod-{ID}.scope",
        f"/machine.slice/libpod-{OTHER}.scope/container/libpod_parent/libpod-{ID}",
    ],
)
def test_knows_its_containers(cgroup: str) -> None:
    """Under both drivers, in pods, in services of systemd, and the inner one of two."""
    assert ENGINE.container(cgroup) == Container("podman", ID)


@pytest.mark.parametrize(
    "cgroup",
    [
        f"/machine.slice/libpod-conmon-{ID}.scope",
        f"{USER}/user.slice/user-libpod_pod_{ID}.slice/podman-12.scope",
        f"/libpod_parent/conmon-{ID}",
    ],
)
def test_leaves_its_monitor_alone(cgroup: str) -> None:
    """The monitor and the command stand beside the container."""
    assert ENGINE.container(cgroup) is None


def test_reads_its_list() -> None:
    """The entry of this container, with the image's name from the document inside of it."""
    metadata = json.dumps({"image-name": "quay.io/ramalama/cuda:0.24", "image-id": OTHER, "name": "chat"})
    entries = [
        {"id": OTHER, "names": ["other"], "image": ID, "metadata": "{}"},
        {"id": ID, "names": ["chat"], "image": OTHER, "layer": OTHER, "metadata": metadata, "created": "2026-01-01"},
    ]
    assert described(ENGINE, json.dumps(entries).encode()) == Description("chat", "quay.io/ramalama/cuda:0.24")


def test_a_list_without_it_says_nothing() -> None:
    """Another container's entry is not taken for it."""
    assert described(ENGINE, json.dumps([{"id": OTHER, "names": ["other"]}]).encode()) is None


def test_looks_in_root_s_or_the_user_s_storage() -> None:
    """Containers that are removed at their end stand in a list of their own."""
    assert documents(ENGINE) == (
        "/var/lib/containers/storage/overlay-containers/containers.json",
        "/run/containers/storage/overlay-containers/volatile-containers.json",
    )
    assert documents(ENGINE, home=True) == (
        "/home/dana/.local/share/containers/storage/overlay-containers/containers.json",
        "/run/user/1000/containers/overlay-containers/volatile-containers.json",
    )
