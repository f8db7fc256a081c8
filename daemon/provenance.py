"""Asks the stores of models, one after the other, where a file came from."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Protocol

from modelwarden.daemon.identify.origins.origin import Origin
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


def trace(path: str, surroundings: Surroundings, stores: Iterable[Origin]) -> dict[str, object] | None:
    """The source by the first store that knows the file, its claims cut to what may be stored."""
    environment = surroundings.environment()
    if environment is None:
        return None
    for store in stores:
        location = store.locate(path, environment)
        if location is None:
            continue
        source = store.trace(location, surroundings.folder(location.up))
        if source is not None:
            claims: dict[str, object] = {name: text(value) for name, value in asdict(source).items()}
            claims["kind"] = source.kind
            if not _DIGEST.fullmatch(source.digest or ""):
                claims["digest"] = None
            return claims
    return None
