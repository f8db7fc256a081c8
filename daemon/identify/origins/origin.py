"""The contract of a store of models: whether a path lies in it, and what its metadata tell of the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from modelwarden.daemon.identify.reading.folder import Folder


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model came from, as its store has it: claims until the content is known. Unknown is `None`."""

    kind: str
    """The store's name in policies and in the census: `huggingface`, `ollama` …"""
    repository: str | None = None
    """As its users write it: `meta-llama/Llama-3.2-1B`, `registry.ollama.ai/library/llama3.2`."""
    revision: str | None = None
    """The commit, or the tag: what the store tells apart."""
    file: str | None = None
    """The file's name in the repository, where the store itself keeps it under another one."""
    name: str | None = None
    """What its users call the model: `llama3.2:1b`."""
    role: str | None = None
    """`model`, `adapter`, `projector`, `draft`, where the store tells."""
    license: str | None = None
    digest: str | None = None
    """SHA-256, 64 lower-case hexadecimal digits, that the store claims for this file's content."""
    remote_host: str | None = None
    """Where requests to it really go, of a model that only looks local."""
    shown: str | None = None
    """Where below the store's folder its users see the file, when that is a link to it. The format reads it by that
    name, with what stands there beside it; it is told to nobody."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where in a store a file lies."""

    up: int
    """How many folders above the file's own folder the store's folder is: 0 when it lies directly in it, at most 8."""
    inside: str
    """The path of the file relative to the store's folder."""


class Origin(Protocol):
    """One kind of store; its module ends in `ORIGIN: Origin = …`. Pure; everything that it reads is hostile."""

    @property
    def name(self) -> str:
        """The `kind` of its sources."""
        ...

    @property
    def variables(self) -> tuple[str, ...]:
        """Environment variables that move the store; they are read from the process that opened the file."""
        ...

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:
        """Where a path lies in such a store, `None` when it does not.

        By the shape of the path where that is certain enough; `environment` holds those of `variables`, and `HOME`,
        that are set.
        """
        ...

    def trace(self, location: Location, store: Folder) -> Source | None:
        """What the store tells of the file; `None` when it is no such store after all. Never raises."""
        ...
