"""Asks the stores of models, one after the other, where a file came from."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import NamedTuple, Protocol

from modelwarden.daemon.identify.origins.origin import Origin
from modelwarden.daemon.identify.origins.reading.linked_folder import LinkedFolder
from modelwarden.daemon.identify.reading.claims import text
from modelwarden.daemon.identify.reading.folder import Folder

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Surroundings(Protocol):
    """What is known of the place of a file."""

    def environment(self) -> Mapping[str, str] | None:
        """Variables of the process that opened the file, `None` when the file is not where its path says."""
        ...

    def folder(self, up: int) -> Folder:
        """The folder that many steps above the file's own."""
        ...


class Traced(NamedTuple):
    """What a store says of a file."""

    claims: dict[str, object]
    """Of the source, cut to what may be stored."""
    name: str | None = None
    """What its users call the file, where the store itself keeps it under another name."""
    beside: Folder | None = None
    """What they see beside it."""


def trace(path: str, surroundings: Surroundings, stores: Iterable[Origin]) -> Traced | None:
    """The source by the first store that knows the file."""
    environment = surroundings.environment()
    if environment is None:
        return None
    for store in stores:
        location = store.locate(path, environment)
        if location is None:
            continue
        folder = surroundings.folder(location.up)
        source = store.trace(location, folder)
        if source is not None:
            claims: dict[str, object] = {name: text(value) for name, value in asdict(source).items()}
            claims["kind"] = source.kind
            if not _DIGEST.fullmatch(source.digest or ""):
                claims["digest"] = None
            claims["shown"] = None
            if source.shown is None:
                return Traced(claims)
            place, _, name = source.shown.rpartition("/")
            return Traced(claims, name, LinkedFolder(folder, place))
    return None
