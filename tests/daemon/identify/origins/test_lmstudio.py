"""LM Studio's folder: what the path tells, and what it does not."""

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.lmstudio import ORIGIN
from modelwarden.daemon.identify.origins.origin import Source

HOME = "/home/dana"


@pytest.mark.parametrize("top", [f"{HOME}/.lmstudio/models", f"{HOME}/.cache/lm-studio/models"])
def test_tells_the_repository(top: str) -> None:
    """Given a file in a repository's folder, then publisher, repository and file are told."""
    location = ORIGIN.locate(f"{top}/qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf", {})
    assert location is not None
    assert (location.up, location.inside) == (2, "qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf")
    assert ORIGIN.trace(location, Shelf()) == Source(
        "lmstudio", repository="qwen/Qwen3-4B-GGUF", file="Qwen3-4B-Q4_K_M.gguf", role="model"
    )


def test_tells_a_projector() -> None:
    """Given a file whose name says projector, then that is its role."""
    location = ORIGIN.locate(f"{HOME}/.lmstudio/models/a/b/mmproj-F16.gguf", {})
    assert location is not None
    source = ORIGIN.trace(location, Shelf())
    assert source is not None
    assert source.role == "projector"


@pytest.mark.parametrize(
    "path",
    [
        f"{HOME}/.lmstudio/models/m.gguf",
        f"{HOME}/.lmstudio/models/a/m.gguf",
        f"{HOME}/lmstudio/models/a/b/m.gguf",
        f"{HOME}/.lmstudio/models/a/b" + "/c" * 9,
        "",
    ],
)
def test_others_are_elsewhere(path: str) -> None:
    """Files outside a repository's folder are of no known origin."""
    assert ORIGIN.locate(path, {}) is None
