"""Keras's models: files in one folder."""

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.keras import ORIGIN
from modelwarden.daemon.identify.origins.origin import Location, Source


@pytest.mark.parametrize(
    ("folder", "environment"), [("/home/dana/.keras/models", {}), ("/data/models", {"KERAS_HOME": "/data"})]
)
def test_tells_the_name(folder: str, environment: dict[str, str]) -> None:
    """Given a file in the default folder or a moved one, then its name is told."""
    location = ORIGIN.locate(f"{folder}/vgg16_weights.h5", environment)
    assert location == Location(0, "vgg16_weights.h5")
    assert ORIGIN.trace(location, Shelf()) == Source("keras", name="vgg16_weights.h5")


@pytest.mark.parametrize(
    "path", ["/data/models/a.h5", "/home/dana/.keras/datasets/a.npz", "/home/dana/.keras/models/b/a.h5", ""]
)
def test_others_are_elsewhere(path: str) -> None:
    """Files of other folders are none of its models."""
    assert ORIGIN.locate(path, {}) is None
