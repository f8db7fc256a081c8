"""The models of Jan: a folder each, with a description.

Source: janhq/jan, `extensions/llamacpp-extension/src/index.ts` (`import`): `llamacpp/models/<id>/` with `model.gguf`,
`mmproj.gguf` and `model.yml`, where the id may have several parts.
"""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.documents import scalar
from modelwarden.daemon.identify.origins.reading.paths import after
from modelwarden.daemon.identify.reading.folder import Folder

DESCRIPTION_LIMIT = 1 << 16
ROLES = {"model.gguf": "model", "mmproj.gguf": "projector"}


class Jan:
    """The folder keeps its shape wherever the user moved Jan's data."""

    name = "jan"
    variables: tuple[str, ...] = ()

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:  # noqa: ARG002 - the shape is enough
        """The two names that Jan gives to what it downloads."""
        found = after(path, "llamacpp", "models")
        return found if found is not None and found.up and path.rpartition("/")[2] in ROLES else None

    def trace(self, location: Location, store: Folder) -> Source | None:
        """The model's id, as Jan's API has it, when its description is there."""
        identifier, _, file = location.inside.rpartition("/")
        description = store.read(f"{identifier}/model.yml", DESCRIPTION_LIMIT)
        if description is None:
            return None
        return Source(self.name, repository=identifier, name=scalar(description, "name"), role=ROLES[file])


ORIGIN: Origin = Jan()
