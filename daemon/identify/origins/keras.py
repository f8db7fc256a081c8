"""The weights that Keras downloads for its applications.

Source: `keras/src/utils/file_utils.py` (`get_file` with `cache_subdir="models"`), `keras/src/backend/config.py`.
"""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.paths import after, below, variable
from modelwarden.daemon.identify.reading.folder import Folder


class Keras:
    """The folder of the default and the one that a variable names."""

    name = "keras"
    variables: tuple[str, ...] = ("KERAS_HOME",)

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:
        """Files that lie directly among the models."""
        found = after(path, ".keras", "models") or below(path, (variable(environment, "KERAS_HOME", "models"),))
        return found if found is not None and not found.up else None

    def trace(self, location: Location, store: Folder) -> Source | None:  # noqa: ARG002 - nothing is written beside
        """The file's name, such as `resnet50_weights_tf_dim_ordering_tf_kernels.h5`, is all there is."""
        return Source(self.name, name=location.inside)


ORIGIN: Origin = Keras()
