"""containerd, used by Kubernetes, by nerdctl, or by itself.

Source: `internal/cri/server/podsandbox/helpers.go` (`cri-containerd-<id>.scope`) of containerd;
`pkg/cmd/container/run_cgroup_linux.go` of nerdctl (`nerdctl-<id>.scope`, `/<namespace>/<id>`); `pkg/kubelet/cm` of
Kubernetes (`/kubepods/…/pod<uid>/<id>`). The annotations stand in the specification that the runtime was given.
"""

import re

from msgspec import Struct, field

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.cgroup import innermost
from modelwarden.daemon.identify.containers.reading.documents import read, text

_PLACE = re.compile(
    r"(?:cri-containerd|nerdctl)-(?P<scope>[0-9a-f]{64})\.scope"
    r"|(?:pod[0-9a-f_-]{32,36}|default|nerdctl|k8s\.io)/(?P<folder>[0-9a-f]{64})"
)
_ID = re.compile(r"[0-9a-f]{64}")
_NAMESPACES = ("k8s.io", "default", "moby")


class _Annotations(Struct):
    cri_name: str | None = field(default=None, name="io.kubernetes.cri.container-name")
    cri_image: str | None = field(default=None, name="io.kubernetes.cri.image-name")
    name: str | None = field(default=None, name="nerdctl/name")
    image: str | None = field(default=None, name="nerdctl/image-name")


class _Specification(Struct):
    annotations: _Annotations | None = None


class Containerd:
    """The containerd engine."""

    name = "containerd"

    def container(self, cgroup: str) -> Container | None:
        """By the names that its clients give."""
        found = innermost(_PLACE, cgroup)
        return Container(self.name, found["scope"] or found["folder"]) if found else None

    def documents(self, container: Container, home: str | None, run: str | None) -> tuple[str, ...]:  # noqa: ARG002
        """The specification, in each namespace; a user's own containerd keeps it where only it can see it."""
        if home is not None or not _ID.fullmatch(container.id):
            return ()
        root = "/run/containerd/io.containerd.runtime.v2.task"
        return tuple(f"{root}/{namespace}/{container.id}/config.json" for namespace in _NAMESPACES)

    def describe(self, container: Container, document: bytes) -> Description | None:  # noqa: ARG002
        """What Kubernetes or nerdctl noted in the annotations."""
        found = read(document, _Specification)
        if found is None or found.annotations is None:
            return None
        noted = found.annotations
        name, image = text(noted.cri_name or noted.name), text(noted.cri_image or noted.image)
        return Description(name, image) if name or image else None


ENGINE: Engine = Containerd()
