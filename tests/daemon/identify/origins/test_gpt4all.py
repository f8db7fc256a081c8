"""GPT4All's folders: one file a model."""

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.gpt4all import ORIGIN
from modelwarden.daemon.identify.origins.origin import Source

HOME = "/home/dana"


@pytest.mark.parametrize("top", [f"{HOME}/.local/share/nomic.ai/GPT4All", f"{HOME}/.cache/gpt4all"])
def test_tells_the_name(top: str) -> None:
    """Given a file in the program's or the binding's folder, then its name is the model's."""
    location = ORIGIN.locate(f"{top}/Llama-3.2-1B.Q4_0.gguf", {})
    assert location is not None
    assert ORIGIN.trace(location, Shelf()) == Source("gpt4all", name="Llama-3.2-1B.Q4_0.gguf")


@pytest.mark.parametrize("name", ["incomplete-m.gguf", "m.gguf.part", "folder/m.gguf", "../m.gguf"])
def test_others_are_elsewhere(name: str) -> None:
    """Downloads that have not ended, and files in folders, are none of its models."""
    assert ORIGIN.locate(f"{HOME}/.cache/gpt4all/{name}", {}) is None
