"""RamaLama's store: what references tell of a blob."""

import json

import pytest
from tests.models import Shelf

from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.identify.origins.ramalama import ORIGIN

STORE = "/home/dana/.local/share/ramalama/store"
DIGEST = "d" * 64
FOLDER = "ollama/library/llama3.2"


def trace(shelf: Shelf, blob: str = f"sha256-{DIGEST}") -> Source | None:
    """What the store tells of a blob."""
    location = ORIGIN.locate(f"{STORE}/{FOLDER}/blobs/{blob}", {})
    assert location is not None
    assert location.up == 4
    return ORIGIN.trace(location, shelf)


def reference(files: object) -> Shelf:
    """A store with a reference of one tag."""
    document = json.dumps({"hash": "sha256-1", "path": "", "files": files, "version": "v1.0.1"})
    return Shelf({f"{FOLDER}/refs/1b.json": document.encode()})


@pytest.mark.parametrize(("type_", "role"), [("gguf", "model"), ("mmproj", "projector"), ("other", None)])
def test_tells_a_blob(type_: str, role: str | None) -> None:
    """Given a reference that lists the blob, then transport, name, tag, file and role are told."""
    shelf = reference([{"hash": "sha256:1"}, {"hash": f"sha256:{DIGEST}", "name": "llama3.2", "type": type_}])
    assert trace(shelf) == Source(
        "ramalama",
        repository="ollama://library/llama3.2",
        revision="1b",
        file="llama3.2",
        name="ollama://library/llama3.2:1b",
        role=role,
        digest=DIGEST,
    )


@pytest.mark.parametrize("files", [None, 5, {}, [1, None, [], {"hash": 7}, {"name": "x"}], "x"])
def test_a_reference_that_lies_says_nothing(files: object) -> None:
    """Given references of the wrong shape, then only what the path says is told."""
    assert trace(reference(files)) == Source("ramalama", repository="ollama://library/llama3.2", digest=DIGEST)


def test_a_reference_that_is_no_json_says_nothing() -> None:
    """Given nesting without end, then only what the path says is told."""
    shelf = Shelf({f"{FOLDER}/refs/1b.json": b"[" * 500_000, f"{FOLDER}/refs/old": b"x"})
    assert trace(shelf) == Source("ramalama", repository="ollama://library/llama3.2", digest=DIGEST)


def test_only_a_sha256_is_a_digest() -> None:
    """Given git's own hash as a name, then no digest is claimed."""
    assert trace(Shelf(), "a" * 40) == Source("ramalama", repository="ollama://library/llama3.2")


@pytest.mark.parametrize(
    "path",
    [
        f"{STORE}/{FOLDER}/blobs/sha256-{DIGEST}.partial",
        f"{STORE}/{FOLDER}/refs/1b.json",
        f"{STORE}/{FOLDER}/blobs/a/b",
        f"{STORE}/a/blobs/sha256-{DIGEST}",
        f"/srv/store/{FOLDER}/blobs/sha256-{DIGEST}",
        "",
    ],
)
def test_others_are_elsewhere(path: str) -> None:
    """Downloads that have not ended and other files are none of its blobs."""
    assert ORIGIN.locate(path, {}) is None
