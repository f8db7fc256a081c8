"""torch.hub's checkpoints: a name with the first digits of a hash."""

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.origin import Location, Source
from modelwarden.daemon.identify.origins.torch_hub import ORIGIN


@pytest.mark.parametrize(
    ("folder", "environment"),
    [
        ("/home/dana/.cache/torch/hub/checkpoints", {}),
        ("/data/hub/checkpoints", {"TORCH_HOME": "/data/"}),
    ],
)
def test_tells_the_name(folder: str, environment: dict[str, str]) -> None:
    """Given a checkpoint in the default folder or a moved one, then name and digits are told."""
    location = ORIGIN.locate(f"{folder}/resnet50-11ad3fa6.pth", environment)
    assert location == Location(0, "resnet50-11ad3fa6.pth")
    assert ORIGIN.trace(location, Shelf()) == Source("torch_hub", name="resnet50", revision="11ad3fa6")


@pytest.mark.parametrize(
    ("file", "name"), [("yolov5s.pt", "yolov5s"), ("a-1234.pth", "a-1234"), (".pth", ".pth"), ("x", "x")]
)
def test_a_name_without_a_hash_has_no_revision(file: str, name: str) -> None:
    """Given no hash in the name, then there is no revision."""
    assert ORIGIN.trace(Location(0, file), Shelf()) == Source("torch_hub", name=name)


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        ("/data/hub/checkpoints/a-11ad3fa6.pth", {}),
        ("/data/hub/checkpoints/a-11ad3fa6.pth", {"TORCH_HOME": "/elsewhere"}),
        ("/data/hub/checkpoints/a-11ad3fa6.pth", {"TORCH_HOME": "data"}),
        ("/home/dana/.cache/torch/hub/checkpoints/a-11ad3fa6.pth.0123.partial", {}),
        ("/home/dana/.cache/torch/hub/checkpoints/folder/a.pth", {}),
        ("", {"TORCH_HOME": ""}),
    ],
)
def test_others_are_elsewhere(path: str, environment: dict[str, str]) -> None:
    """Files outside the folder, and downloads that have not ended, are none of its checkpoints."""
    assert ORIGIN.locate(path, environment) is None
