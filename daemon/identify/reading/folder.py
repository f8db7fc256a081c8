"""The bounded view of a folder near a model, through which its neighbours and the metadata of its store are read."""

from typing import Protocol

DOCUMENT_LIMIT = 1 << 20
"""Bytes of one neighbour that are read unless more are asked for; the opener gives none larger than 16 MiB."""


class Folder(Protocol):
    """Small documents below one folder, by their relative names (`config.json`, `refs/main`).

    Who answers is another process (opener.py): it opens below the folder only, follows no link, and gives regular
    files. Everything in it is as hostile as the model. Nothing is raised for what is not there or not given.
    """

    def read(self, name: str, limit: int = DOCUMENT_LIMIT) -> bytes | None:
        """A file's content, `None` when there is none, when it may not be read, or when it is larger than `limit`."""
        ...

    def names(self, name: str = "") -> tuple[str, ...]:
        """What is in a folder below this one (or in this one), sorted, cut after some thousands; empty for nothing."""
        ...

    def target(self, name: str) -> str | None:
        """Where a symbolic link points to, as it is written there; it is not followed."""
        ...


class NoFolder:
    """The folder of a file of which only the content is known."""

    def read(self, name: str, limit: int = DOCUMENT_LIMIT) -> bytes | None:  # noqa: ARG002 - the protocol's names
        """Nothing."""
        return None

    def names(self, name: str = "") -> tuple[str, ...]:  # noqa: ARG002
        """Nothing."""
        return ()

    def target(self, name: str) -> str | None:  # noqa: ARG002
        """Nothing."""
        return None
