"""CRI-O: its cgroups and the annotations of its specification."""

import json

import pytest
from tests.cgroups import ID, POD, described, documents

from modelwarden.daemon.identify.containers.crio import ENGINE
from modelwarden.daemon.identify.containers.engine import Container, Description


@pytest.mark.parametrize(
    "cgroup",
    [
        f"/kubepods.slice/kubepods-{POD}.slice/crio-{ID}.scope",
        f"/kubepods.slice/kubepods-{POD}.slice/crio-{ID}.scope/container",
        f"/kubepods/besteffort/{POD}/crio-{ID}",
    ],
)
def test_knows_its_containers(cgroup: str) -> None:
    """Under both drivers."""
    assert ENGINE.container(cgroup) == Container("crio", ID)


@pytest.mark.parametrize("cgroup", [f"/system.slice/crio-conmon-{ID}.scope", "/system.slice/crio.service"])
def test_leaves_its_monitor_alone(cgroup: str) -> None:
    """The monitor and the engine stand beside the containers."""
    assert ENGINE.container(cgroup) is None


def test_reads_the_annotations() -> None:
    """The name that Kubernetes gave, with the image."""
    annotations = {"io.kubernetes.container.name": "chat", "io.kubernetes.cri-o.ImageName": "quay.io/a/b:1"}
    assert described(ENGINE, json.dumps({"annotations": annotations}).encode()) == Description("chat", "quay.io/a/b:1")


def test_looks_at_the_specification() -> None:
    """It is root's engine."""
    path = f"/run/containers/storage/overlay-containers/{ID}/userdata/config.json"
    assert (documents(ENGINE), documents(ENGINE, home=True)) == ((path,), ())
