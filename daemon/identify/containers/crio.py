"""CRI-O, used by Kubernetes: `crio-<id>.scope` or `crio-<id>`; `crio-conmon-<id>` is its monitor, outside.

Source: `internal/config/cgmgr` and `internal/factory/container` of cri-o/cri-o; the annotations in the specification.
"""

import re

from msgspec import Struct, field

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.cgroup import innermost
from modelwarden.daemon.identify.containers.reading.documents import read, text

_PLACE = re.compile(r"crio-(?P<id>[0-9a-f]{64})(?:\.scope)?")
_ID = re.compile(r"[0-9a-f]{64}")


class _Annotations(Struct):
    name: str | None = field(default=None, name="io.kubernetes.container.name")
    image: str | None = field(default=None, name="io.kubernetes.cri-o.ImageName")


class _Specification(Struct):
    annotations: _Annotations | None = None


class Crio:
    """The CRI-O engine, which is root's."""

    name = "crio"

    def container(self, cgroup: str) -> Container | None:
        """By both shapes of the name."""
        found = innermost(_PLACE, cgroup)
        return Container(self.name, found["id"]) if found else None

    def documents(self, container: Container, home: str | None, run: str | None) -> tuple[str, ...]:  # noqa: ARG002
        """The specification that the runtime was given."""
        if home is not None or not _ID.fullmatch(container.id):
            return ()
        return (f"/run/containers/storage/overlay-containers/{container.id}/userdata/config.json",)

    def describe(self, container: Container, document: bytes) -> Description | None:  # noqa: ARG002
        """What CRI-O noted in the annotations."""
        found = read(document, _Specification)
        if found is None or found.annotations is None:
            return None
        name, image = text(found.annotations.name), text(found.annotations.image)
        return Description(name, image) if name or image else None


ENGINE: Engine = Crio()
