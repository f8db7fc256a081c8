"""The cache of kagglehub, from which KerasHub and others load.

Source: `kagglehub/cache.py` of 1.0 (`_get_model_path`): `models/<owner>/<model>/<framework>/<variation>/<version>/…` in
`$KAGGLEHUB_CACHE` or `~/.cache/kagglehub`.
"""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.paths import after, below, variable
from modelwarden.daemon.identify.reading.folder import Folder


class KaggleHub:
    """The folder of the default and the one that a variable names."""

    name = "kagglehub"
    variables: tuple[str, ...] = ("KAGGLEHUB_CACHE",)

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:
        """Files of a version of a model."""
        moved = variable(environment, "KAGGLEHUB_CACHE", "models")
        found = after(path, "kagglehub", "models") or below(path, (moved,))
        parts = found.inside.split("/") if found is not None else []
        return found if len(parts) >= 6 and parts[4].isdecimal() else None

    def trace(self, location: Location, store: Folder) -> Source | None:  # noqa: ARG002 - nothing is written beside
        """The handle as `model_download` takes it, with its version."""
        *handle, version, file = location.inside.split("/", 5)
        return Source(self.name, repository="/".join(handle), revision=version, file=file)


ORIGIN: Origin = KaggleHub()
