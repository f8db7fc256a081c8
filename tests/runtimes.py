"""Runtimes, engines and places that tests of the core make up."""

from dataclasses import dataclass

from tests.kit import NOW

from modelwarden.daemon.identify.containers.engine import Container, Description
from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition
from modelwarden.probes.sampled.groups import GroupFound


@dataclass(frozen=True)
class Server:
    """A runtime that is known by its program's name with `serve`, and whose children called `runner` are its own."""

    name: str = "server"
    program: str = "server"
    libraries: tuple[str, ...] = ("libserver.so",)

    def recognises(self, lineage: tuple[Program, ...]) -> Recognition | None:
        """The server itself, or a child of it."""
        for head, one in enumerate(lineage[: 2 if lineage[0].name == "runner" else 1]):
            if one.name == self.program and "serve" in one.arguments:
                return Recognition(f"{lineage[0].name} of {self.name}", head, strength=2)
        return None


@dataclass(frozen=True)
class Library:
    """A library that any script may load."""

    name: str = "torch"
    libraries: tuple[str, ...] = ("libtorch_cpu.so",)

    def recognises(self, lineage: tuple[Program, ...]) -> Recognition | None:
        """Whoever has loaded it."""
        loaded = sorted(name for name in lineage[0].libraries if name.startswith(self.libraries))
        return Recognition(f"{loaded[0]} loaded", strength=1) if loaded else None


@dataclass(frozen=True)
class Boxes:
    """An engine whose cgroups are called `/box/<id>`."""

    name: str = "box"

    def container(self, cgroup: str) -> Container | None:
        """By its path."""
        _, found, identifier = cgroup.partition("/box/")
        return Container(self.name, identifier) if found else None

    def documents(self, _container: Container, _home: str | None) -> tuple[str, ...]:
        """None."""
        return ()

    def describe(self, _container: Container, _document: bytes) -> Description | None:
        """Nothing."""
        return None


def group_found(cgroup: int, path: str, at: int = NOW) -> GroupFound:
    """A cgroup has a name."""
    return GroupFound(at, cgroup, path)
