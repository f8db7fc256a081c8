"""The contract of a container engine: whether a cgroup is one of its containers, and where its files tell of it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Container:
    """One container, as the cgroup tells: the engine with the identifier that it gave."""

    engine: str
    """`docker`, `podman`, `containerd`, `lxc`."""
    id: str


@dataclass(frozen=True, slots=True)
class Description:
    """What an engine's files say of a container; unknown is `None`."""

    name: str | None = None
    image: str | None = None


class Engine(Protocol):
    """One engine; its module ends in `ENGINE: Engine = …`. Pure; the files may be those of an unprivileged user."""

    @property
    def name(self) -> str:
        """The `engine` of its containers."""
        ...

    def container(self, cgroup: str) -> Container | None:
        """The container that the path of a cgroup (`/system.slice/docker-….scope`) is of, by its last such part."""
        ...

    def documents(self, container: Container, home: str | None, run: str | None) -> tuple[str, ...]:
        """Absolute paths of the files that may describe it, best first; none for an identifier that is no such.

        `home` and `run` (`/run/user/1000`) are those of the user whose cgroup it is, `None` for the system's: a user
        gives any name to his cgroups, so that root's files tell nothing of them.
        """
        ...

    def describe(self, container: Container, document: bytes) -> Description | None:
        """What one of the documents says of the container, `None` when nothing. Never raises."""
        ...
