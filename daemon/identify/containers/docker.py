"""Docker: `docker-<id>.scope` where systemd manages cgroups, `/docker/<id>` where Docker does.

Source: `daemon/container/container.go` of moby (`config.v2.json`), `libcontainer/cgroups` of runc for the names.
"""

import re

from msgspec import Struct, field

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.cgroup import innermost
from modelwarden.daemon.identify.containers.reading.documents import read, text

_PLACE = re.compile(r"docker-(?P<scope>[0-9a-f]{64})\.scope|docker/(?P<folder>[0-9a-f]{64})")
_ID = re.compile(r"[0-9a-f]{64}")


class _Config(Struct):
    image: str | None = field(default=None, name="Image")


class _File(Struct):
    name: str | None = field(default=None, name="Name")
    config: _Config | None = field(default=None, name="Config")


class Docker:
    """The Docker engine, as root or in a user's session."""

    name = "docker"

    def container(self, cgroup: str) -> Container | None:
        """By both shapes of the name."""
        found = innermost(_PLACE, cgroup)
        return Container(self.name, found["scope"] or found["folder"]) if found else None

    def documents(self, container: Container, home: str | None, run: str | None) -> tuple[str, ...]:  # noqa: ARG002
        """The engine's own record of the container."""
        if not _ID.fullmatch(container.id):
            return ()
        root = "/var/lib/docker" if home is None else f"{home}/.local/share/docker"
        return (f"{root}/containers/{container.id}/config.v2.json",)

    def describe(self, container: Container, document: bytes) -> Description | None:  # noqa: ARG002
        """Name, which Docker keeps with a slash before it, and image."""
        found = read(document, _File)
        if found is None:
            return None
        name, image = text((found.name or "").removeprefix("/")), text(found.config.image if found.config else None)
        return Description(name, image) if name or image else None


ENGINE: Engine = Docker()
