"""The models of GPT4All: one file each.

Source: `gpt4all-chat/src/mysettings.cpp` and `modellist.cpp`, the Python binding's `gpt4all.py`.
"""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.paths import after
from modelwarden.daemon.identify.reading.folder import Folder


class Gpt4All:
    """A folder that a user chose in the settings instead is not known: no variable tells it."""

    name = "gpt4all"
    variables: tuple[str, ...] = ()

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:  # noqa: ARG002 - the shape is enough
        """Files that lie directly in the folder of the program or of its Python binding; not what still arrives."""
        found = after(path, "nomic.ai", "GPT4All") or after(path, ".cache", "gpt4all")
        if found is None or found.up or found.inside.startswith("incomplete-") or found.inside.endswith(".part"):
            return None
        return found

    def trace(self, location: Location, store: Folder) -> Source | None:  # noqa: ARG002 - nothing is written beside
        """The file's name is what users, and its API, call the model."""
        return Source(self.name, name=location.inside)


ORIGIN: Origin = Gpt4All()
