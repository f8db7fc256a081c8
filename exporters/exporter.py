"""The contract of an exporter: what it is made from, which paths it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from modelwarden.daemon.snapshot import Snapshot

SnapshotSource = Callable[[], Snapshot]
"""Gives the newest snapshot; called from the thread that serves HTTP, so it may not wait for the core."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer over HTTP, whole: bodies are small because they are made from bounded tables."""

    body: bytes
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"


Route = Callable[[], Response]
"""Answers one path, within milliseconds: all routes share one thread."""


class Exporter(Protocol):
    """One way to tell others; its module ends in `EXPORTER: ExporterType = …`."""

    def routes(self) -> Mapping[str, Route]:
        """The paths that this exporter answers, such as `/metrics`."""
        ...


class ExporterType(Protocol):
    """What discovery takes: called once, when the daemon starts."""

    def __call__(self, snapshot: SnapshotSource, /) -> Exporter:
        """An exporter that reads from `snapshot` whenever it is asked."""
        ...
