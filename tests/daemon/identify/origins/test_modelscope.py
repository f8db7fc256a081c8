"""ModelScope's cache in the layouts that it has had."""

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.modelscope import ORIGIN
from modelwarden.daemon.identify.origins.origin import Source

CARD = b"---\nlicense: apache-2.0\n---\n"
CACHE = "/home/dana/.cache/modelscope"


@pytest.mark.parametrize(
    ("path", "environment", "folder", "revision"),
    [
        (f"{CACHE}/models/Qwen--Qwen2.5/snapshots/master/m.bin", {}, "Qwen--Qwen2.5/snapshots/master", "master"),
        (f"{CACHE}/hub/models/Qwen/Qwen2___5/m.bin", {}, "Qwen/Qwen2___5", None),
        (f"{CACHE}/hub/Qwen/Qwen2___5/m.bin", {}, "Qwen/Qwen2___5", None),
        ("/data/models/Qwen/Qwen2___5/m.bin", {"MODELSCOPE_CACHE": "/data"}, "Qwen/Qwen2___5", None),
        ("/data/Qwen/Qwen2.5/m.bin", {"MODELSCOPE_CACHE": "/data"}, "Qwen/Qwen2.5", None),
    ],
)
def test_tells_the_repository(path: str, environment: dict[str, str], folder: str, revision: str | None) -> None:
    """Given a file in any layout, then repository, revision, file and licence are told."""
    location = ORIGIN.locate(path, environment)
    assert location is not None
    source = ORIGIN.trace(location, Shelf({f"{folder}/README.md": CARD}))
    assert source == Source("modelscope", "Qwen/Qwen2.5", revision, "m.bin", license="apache-2.0")


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        (f"{CACHE}/hub/datasets/a/b/m.bin", {}),
        (f"{CACHE}/hub/models/._____temp/a/b/m.bin", {}),
        (f"{CACHE}/hub/models/a/._____temp/m.bin", {}),
        (f"{CACHE}/hub/models/a/m.bin", {}),
        ("/data/Qwen/Qwen2.5/m.bin", {}),
        ("/data/Qwen/Qwen2.5/m.bin", {"MODELSCOPE_CACHE": "data"}),
        ("", {"MODELSCOPE_CACHE": "/"}),
    ],
)
def test_others_are_elsewhere(path: str, environment: dict[str, str]) -> None:
    """Data sets, downloads that have not ended and other folders hold none of its models."""
    assert ORIGIN.locate(path, environment) is None
