"""llama.cpp's old cache: what lies beside a file tells where it came from."""

import json

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.llama_cpp_cache import ORIGIN
from modelwarden.daemon.identify.origins.origin import Location, Source

NAME = "ggml-org_gemma-3_GGUF_gemma-3-Q4_K_M.gguf"
ADDRESS = "https://huggingface.co/ggml-org/gemma-3_GGUF/resolve/main/sub/gemma-3-Q4_K_M.gguf"


@pytest.mark.parametrize(
    ("folder", "environment"), [("/home/dana/.cache/llama.cpp", {}), ("/data", {"LLAMA_CACHE": "/data/"})]
)
def test_lies_in_the_cache(folder: str, environment: dict[str, str]) -> None:
    """Given a file in the default folder or a moved one, then it lies in the cache."""
    assert ORIGIN.locate(f"{folder}/{NAME}", environment) == Location(0, NAME)


@pytest.mark.parametrize("address", [ADDRESS, ADDRESS + "?download=true"])
def test_the_noted_address_tells(address: str) -> None:
    """Given a note of the address, then repository, revision and file are those of the address."""
    shelf = Shelf({f"{NAME}.json": json.dumps({"url": address, "etag": "x"}).encode()})
    assert ORIGIN.trace(Location(0, NAME), shelf) == Source(
        "huggingface", "ggml-org/gemma-3_GGUF", "main", "sub/gemma-3-Q4_K_M.gguf"
    )


def test_a_manifest_tells() -> None:
    """Given the manifest of a repository, then a file that begins with its name is of it."""
    shelf = Shelf({"manifest=ggml-org=other=latest.json": b"{}", "manifest=ggml-org=gemma-3_GGUF=latest.json": b"{}"})
    assert ORIGIN.trace(Location(0, NAME), shelf) == Source(
        "huggingface", "ggml-org/gemma-3_GGUF", file="gemma-3-Q4_K_M.gguf"
    )


@pytest.mark.parametrize(
    "note", [b"", b"[]", b'{"url": 5}', b'{"url": "x"}', b"[" * 200_000, b'{"url": "https://a/b"}']
)
def test_the_name_alone_tells_nothing(note: bytes) -> None:
    """Given a name in which owner and repository cannot be told apart, then there is no source."""
    assert ORIGIN.trace(Location(0, NAME), Shelf({f"{NAME}.json": note, "manifest=x": b""})) is None


@pytest.mark.parametrize(
    "path",
    [
        f"/home/dana/.cache/llama.cpp/{NAME}.downloadInProgress",
        f"/home/dana/.cache/llama.cpp/sub/{NAME}",
        f"/data/{NAME}",
        "",
    ],
)
def test_others_are_elsewhere(path: str) -> None:
    """Downloads that have not ended and other folders are not the cache."""
    assert ORIGIN.locate(path, {}) is None
