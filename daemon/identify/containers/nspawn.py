r"""systemd-nspawn: `machine-<name>.scope`, or the service `systemd-nspawn@<name>.service`, names escaped (`\x2d`).

Source: systemd-nspawn(1), `src/machine/machined-dbus.c`. Virtual machines (`machine-qemu…`) are no containers: their
processes are the emulator's; nor is the supervisor. There is no file that says more than the name.
"""

import re

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine
from modelwarden.daemon.identify.containers.reading.cgroup import innermost, unescaped

_NAME = r"(?:[A-Za-z0-9._-]|\\x2d){1,200}"
_PLACE = re.compile(rf"machine-(?!qemu|lxc\\x2d)(?P<scope>{_NAME})\.scope|systemd-nspawn@(?P<service>{_NAME})\.service")


class Nspawn:
    """Containers of systemd itself."""

    name = "systemd-nspawn"

    def container(self, cgroup: str) -> Container | None:
        """By the machine's name."""
        found = innermost(_PLACE, cgroup)
        if found is None or f"{found[0]}/supervisor" in cgroup:
            return None
        return Container(self.name, unescaped(found["scope"] or found["service"]))

    def documents(self, container: Container, home: str | None, run: str | None) -> tuple[str, ...]:  # noqa: ARG002
        """None."""
        return ()

    def describe(self, container: Container, document: bytes) -> Description | None:  # noqa: ARG002
        """Nothing."""
        return None


ENGINE: Engine = Nspawn()
