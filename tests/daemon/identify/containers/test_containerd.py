"""containerd: the cgroups of Kubernetes and nerdctl, and the annotations of a specification."""

import json

import pytest
from tests.cgroups import ID, OTHER, POD, described, documents

from modelwarden.daemon.identify.containers.containerd import ENGINE
from modelwarden.daemon.identify.containers.engine import Container, Description


@pytest.mark.parametrize(
    "cgroup",
    [
        f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{POD}.slice/cri-containerd-{ID}.scope",
        f"/kubepods/besteffort/{POD}/{ID}",
        f"/system.slice/nerdctl-{ID}.scope",
        f"/default/{ID}",
        f"/docker/{OTHER}/kubelet/kubepods/{POD}/{ID}",
    ],
)
def test_knows_its_containers(cgroup: str) -> None:
    """Under both drivers of Kubernetes, of nerdctl, and in another engine's container."""
    assert ENGINE.container(cgroup) == Container("containerd", ID)


@pytest.mark.parametrize(
    "cgroup", ["/system.slice/containerd.service", f"/kubepods/{POD}", f"/docker/{ID}", f"/podcast/{ID}"]
)
def test_leaves_others_alone(cgroup: str) -> None:
    """The engine itself, a pod and others' containers are none of its."""
    assert ENGINE.container(cgroup) is None


@pytest.mark.parametrize(
    "annotations",
    [
        {"io.kubernetes.cri.container-name": "chat", "io.kubernetes.cri.image-name": "docker.io/vllm/vllm-openai:v1"},
        {"nerdctl/name": "chat", "nerdctl/image-name": "docker.io/vllm/vllm-openai:v1", "nerdctl/networks": "[]"},
    ],
)
def test_reads_the_annotations(annotations: dict[str, str]) -> None:
    """Both clients note name and image."""
    document = json.dumps({"ociVersion": "1.1.0", "process": {"args": ["x"]}, "annotations": annotations}).encode()
    assert described(ENGINE, document) == Description("chat", "docker.io/vllm/vllm-openai:v1")


def test_looks_in_each_namespace() -> None:
    """A user's own containerd keeps its files where only it can see them."""
    assert f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json" in documents(ENGINE)
    assert len(documents(ENGINE)) == 3
    assert documents(ENGINE, home=True) == ()
