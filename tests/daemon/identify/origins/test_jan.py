"""Jan's models: a folder with a description each."""

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.jan import ORIGIN
from modelwarden.daemon.identify.origins.origin import Location, Source

MODELS = "/home/dana/.local/share/Jan/data/llamacpp/models"
DESCRIPTION = b"model_path: llamacpp/models/janhq/Jan-v1/model.gguf\nname: 'Jan v1'\nsize_bytes: 12\n"


@pytest.mark.parametrize(("file", "role"), [("model.gguf", "model"), ("mmproj.gguf", "projector")])
def test_tells_the_model(file: str, role: str) -> None:
    """Given a model with its description, then id, name and role are told."""
    location = ORIGIN.locate(f"{MODELS}/janhq/Jan-v1/{file}", {})
    assert location == Location(2, f"janhq/Jan-v1/{file}")
    source = ORIGIN.trace(location, Shelf({"janhq/Jan-v1/model.yml": DESCRIPTION}))
    assert source == Source("jan", repository="janhq/Jan-v1", name="Jan v1", role=role)


def test_without_a_description_it_is_no_model_of_jan() -> None:
    """Given a folder of the same shape without a description, then there is no source."""
    assert ORIGIN.trace(Location(1, "a/model.gguf"), Shelf()) is None


@pytest.mark.parametrize("description", [b"", b"name:", b"\xff\xfe", b"name" * 100_000, b": \n- \n" * 1000])
def test_a_description_that_lies_says_no_name(description: bytes) -> None:
    """Whatever the description holds, the id stands, and nothing is raised."""
    source = ORIGIN.trace(Location(1, "a/model.gguf"), Shelf({"a/model.yml": description}))
    assert source in {Source("jan", repository="a", role="model"), None}


@pytest.mark.parametrize("path", [f"{MODELS}/model.gguf", f"{MODELS}/a/other.gguf", "/srv/models/a/model.gguf", ""])
def test_others_are_elsewhere(path: str) -> None:
    """Files that Jan does not name so are none of its."""
    assert ORIGIN.locate(path, {}) is None
