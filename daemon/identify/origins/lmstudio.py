"""The models folder of LM Studio: publisher, repository, file.

Source: LM Studio's documentation ("Import models"), `lmstudioPaths.ts` of its `lms`; `~/.cache/lm-studio` until 2024.
"""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.paths import after
from modelwarden.daemon.identify.reading.folder import Folder


class LmStudio:
    """A folder that a user chose in the settings instead is not known: no variable tells it."""

    name = "lmstudio"
    variables: tuple[str, ...] = ()

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:  # noqa: ARG002 - the shape is enough
        """Files below a repository's folder, whole ones."""
        found = after(path, ".lmstudio", "models") or after(path, ".cache", "lm-studio", "models")
        return found if found is not None and found.inside.count("/") >= 2 else None

    def trace(self, location: Location, store: Folder) -> Source | None:  # noqa: ARG002 - nothing is written beside
        """Publisher and repository are those of the Hugging Face hub."""
        publisher, repository, file = location.inside.split("/", 2)
        role = "projector" if file.rpartition("/")[2].startswith("mmproj") else "model"
        return Source(self.name, repository=f"{publisher}/{repository}", file=file, role=role)


ORIGIN: Origin = LmStudio()
