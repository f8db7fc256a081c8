"""kagglehub's cache: the handle stands in the path."""

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.kagglehub import ORIGIN
from modelwarden.daemon.identify.origins.origin import Location, Source

FILE = "google/gemma/keras/gemma_2b_en/2/model.weights.h5"


@pytest.mark.parametrize(
    ("folder", "environment"),
    [("/home/dana/.cache/kagglehub/models", {}), ("/data/models", {"KAGGLEHUB_CACHE": "/data"})],
)
def test_tells_the_handle(folder: str, environment: dict[str, str]) -> None:
    """Given a file in the default cache or a moved one, then handle, version and file are told."""
    location = ORIGIN.locate(f"{folder}/{FILE}", environment)
    assert location == Location(5, FILE)
    assert ORIGIN.trace(location, Shelf()) == Source(
        "kagglehub", repository="google/gemma/keras/gemma_2b_en", revision="2", file="model.weights.h5"
    )


@pytest.mark.parametrize(
    "path",
    [
        f"/data/models/{FILE}",
        "/home/dana/.cache/kagglehub/models/a/b/c/d/v1/m.h5",
        "/home/dana/.cache/kagglehub/models/a/b/c/d/2",
        "/home/dana/.cache/kagglehub/datasets/a/b/versions/1/m.h5",
        "",
    ],
)
def test_others_are_elsewhere(path: str) -> None:
    """Data sets and what has no version are none of its models."""
    assert ORIGIN.locate(path, {}) is None
