"""LXC with what is built upon it, LXD and Incus: `lxc.payload.<name>`; `lxc.monitor.<name>` is outside.

Source: `src/lxc/cgroups/cgfsng.c` of lxc/lxc, before and since version 4. The name is the container's, of a project
other than the default one with that before it (`project_name`); there is no file that says more.
"""

import re

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.cgroup import innermost

_PLACE = re.compile(r"lxc\.payload\.(?P<payload>[A-Za-z0-9._-]{1,200})|lxc/(?P<folder>[A-Za-z0-9._-]{1,200})")


class Lxc:
    """LXC, LXD and Incus: the cgroup does not tell them apart."""

    name = "lxc"

    def container(self, cgroup: str) -> Container | None:
        """By the name that the user chose."""
        found = innermost(_PLACE, cgroup)
        return Container(self.name, found["payload"] or found["folder"]) if found else None

    def documents(self, container: Container, home: str | None, run: str | None) -> tuple[str, ...]:  # noqa: ARG002
        """None."""
        return ()

    def describe(self, container: Container, document: bytes) -> Description | None:  # noqa: ARG002
        """Nothing."""
        return None


ENGINE: Engine = Lxc()
