"""Paths of cgroups as engines and systemd make them."""

from modelwarden.daemon.identify.containers.engine import Container, Description, Engine

ID = "0123456789abcdef" * 4
OTHER = "f" * 64
POD = "pod6b1c2d3e-0000-1111-2222-333344445555"
USER = "/user.slice/user-1000.slice/user@1000.service"
HOME, RUN = "/home/dana", "/run/user/1000"


def described(engine: Engine, document: bytes, container_id: str = ID) -> Description | None:
    """What an engine says of its container by a document."""
    return engine.describe(Container(engine.name, container_id), document)


def documents(engine: Engine, container_id: str = ID, *, home: bool = False) -> tuple[str, ...]:
    """Where an engine's documents would be."""
    return engine.documents(Container(engine.name, container_id), HOME if home else None, RUN if home else None)
