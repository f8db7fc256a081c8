"""Podman, of root and of users: `libpod-<id>.scope`, `libpod_parent/libpod-<id>`, `libpod-payload-<id>`.

Its monitor, `libpod-conmon-<id>.scope`, is outside of the container. Source: `libpod/container_internal_linux.go` of
containers/podman for the names; `containers.go` of containers/storage for the files: containers that are removed when
they end stand in `volatile-containers.json` below the folder for what does not outlive a boot.
"""

import re

from msgspec import Struct, field

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.cgroup import innermost
from modelwarden.daemon.identify.containers.reading.documents import read, text

_PLACE = re.compile(r"libpod-(?:payload-)?(?P<id>[0-9a-f]{64})(?:\.scope)?")
_ID = re.compile(r"[0-9a-f]{64}")


class _Entry(Struct):
    id: str = ""
    names: tuple[str, ...] | None = None
    metadata: str = ""


class _Metadata(Struct):
    name: str | None = None
    image: str | None = field(default=None, name="image-name")


class Podman:
    """The Podman engine, and what is built upon it."""

    name = "podman"

    def container(self, cgroup: str) -> Container | None:
        """By all shapes of the name."""
        found = innermost(_PLACE, cgroup)
        return Container(self.name, found["id"]) if found else None

    def documents(self, container: Container, home: str | None, run: str | None) -> tuple[str, ...]:
        """The lists of all containers in the storage, those that last and those that do not."""
        if not _ID.fullmatch(container.id):
            return ()
        if home is None:
            lasting, volatile = "/var/lib/containers/storage", "/run/containers/storage"
        else:
            lasting, volatile = f"{home}/.local/share/containers/storage", f"{run}/containers"
        found = (f"{lasting}/overlay-containers/containers.json",)
        if home is not None and run is None:
            return found
        return (*found, f"{volatile}/overlay-containers/volatile-containers.json")

    def describe(self, container: Container, document: bytes) -> Description | None:
        """The container's entry in the list; the image's name stands in a document inside of it."""
        for entry in read(document, tuple[_Entry, ...]) or ():
            if entry.id == container.id:
                inside = read(entry.metadata, _Metadata) or _Metadata()
                name = text(entry.names[0] if entry.names else inside.name)
                return Description(name, text(inside.image))
        return None


ENGINE: Engine = Podman()
