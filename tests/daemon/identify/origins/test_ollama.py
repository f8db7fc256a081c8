"""Ollama's store: which models a blob belongs to, as the manifests tell."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hub import shelf_of, write_ollama
from tests.models import Shelf

from modelwarden.daemon.identify.origins.ollama import MANIFESTS_LIMIT, ORIGIN
from modelwarden.daemon.identify.origins.origin import Location, Source

DIGEST = hashlib.sha256(b"weights").hexdigest()
PLACE = Location(1, f"blobs/sha256-{DIGEST}")


def store(*places: str, kind: str = "model", config: object = None) -> Shelf:
    """A store in which manifests of these places have the blob."""
    settings = json.dumps(config or {}).encode()
    manifest = {
        "config": {"digest": f"sha256:{hashlib.sha256(settings).hexdigest()}"},
        "layers": [{"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{DIGEST}"}],
    }
    files = {f"manifests/{place}": json.dumps(manifest).encode() for place in places}
    return Shelf({**files, f"blobs/sha256-{hashlib.sha256(settings).hexdigest()}": settings})


def test_tells_a_blob(tmp_path: Path) -> None:
    """Given a store as Ollama lays it out, then a blob has the name, the tag, its role, the licence and its digest."""
    write_ollama(tmp_path, b"weights")
    assert ORIGIN.trace(PLACE, shelf_of(tmp_path)) == Source(
        "ollama",
        repository="registry.ollama.ai/library/llama3.2",
        revision="1b",
        name="llama3.2:1b",
        role="model",
        license="LLAMA 3.2 COMMUNITY LICENSE",
        digest=DIGEST,
    )


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("registry.ollama.ai/library/llama3.2/latest", "llama3.2:latest"),
        ("registry.ollama.ai/dana/mine/v1", "dana/mine:v1"),
        ("hf.co/org/repo/Q4_K_M", "hf.co/org/repo:Q4_K_M"),
        ("example.com:5000/library/a/b", "example.com:5000/library/a:b"),
    ],
)
def test_names_are_those_of_users(place: str, name: str) -> None:
    """Given a host, a namespace and a tag, then the name is what `ollama list` shows."""
    source = ORIGIN.trace(PLACE, store(place))
    assert source is not None
    assert source.name == name


@pytest.mark.parametrize(
    ("kind", "role"),
    [("model", "model"), ("tensor", "model"), ("adapter", "adapter"), ("projector", "projector"), ("draft", "draft")],
)
def test_roles_are_media_types(kind: str, role: str) -> None:
    """Given a layer's media type, then that is the role."""
    source = ORIGIN.trace(PLACE, store("h/n/m/t", kind=kind))
    assert source is not None
    assert source.role == role


def test_text_has_no_role() -> None:
    """Given a layer that is a template, then it has no role among weights."""
    source = ORIGIN.trace(PLACE, store("h/n/m/t", kind="template"))
    assert source is not None
    assert source.role is None


def test_the_first_of_several_tags_is_told() -> None:
    """Given one content under two tags, then the first in the alphabet is the name."""
    source = ORIGIN.trace(PLACE, store("h/n/m/b", "h/n/m/a"))
    assert source is not None
    assert source.revision == "a"


def test_tells_where_requests_really_go() -> None:
    """Given a model that another host answers for, then that host is told."""
    source = ORIGIN.trace(PLACE, store("h/n/m/t", config={"remote_host": "https://ollama.com"}))
    assert source is not None
    assert source.remote_host == "https://ollama.com"


def test_a_blob_of_no_model_has_its_digest() -> None:
    """Given a store whose manifests have not the blob, then only the digest is told."""
    other = Location(1, "blobs/sha256-" + "a" * 64)
    assert ORIGIN.trace(other, store("h/n/m/t")) == Source("ollama", digest="a" * 64)


def test_without_manifests_it_is_another_store() -> None:
    """Given blobs of the same names without manifests, then the store is not Ollama's."""
    assert ORIGIN.trace(PLACE, Shelf({PLACE.inside: b"weights"})) is None


@pytest.mark.parametrize(
    "path",
    [
        f"/m/blobs/sha256-{DIGEST}-partial",
        f"/m/blobs/sha256-{DIGEST}-partial-3",
        f"/m/blobs/{DIGEST}",
        f"/m/sha256-{DIGEST}",
        "/m/blobs/sha256-12345",
        f"blobs/sha256-{DIGEST}",
        "/blobs/",
        "",
    ],
)
def test_others_are_elsewhere(path: str) -> None:
    """Downloads that have not ended and files of other names lie in no such store."""
    assert ORIGIN.locate(path, {}) is None


def test_a_moved_store_keeps_its_shape() -> None:
    """Wherever the store was moved, the blob's name tells it."""
    assert ORIGIN.locate(f"/data/blobs/sha256-{DIGEST}", {}) == PLACE


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"[" * 500_000,
        b'{"layers":' + b"[" * 500_000,
        b'{"layers": {"digest": 1}}',
        b'{"layers": [1, null, [], {"digest": 5}, {"digest": "sha256:x"}, {"mediaType": 7}]}',
        b'{"layers": [' + b"[]," * 300_000 + b"1]}",
        b'{"a": 1' + b"0" * 5000 + b"}",
        b"\xff",
    ],
)
def test_manifests_that_lie_say_nothing(manifest: bytes) -> None:
    """Given nesting without end, wrong types or no JSON, then the blob has only its digest."""
    assert ORIGIN.trace(PLACE, Shelf({"manifests/h/n/m/t": manifest})) == Source("ollama", digest=DIGEST)


@pytest.mark.parametrize("config", [[], 1, {"remote_host": 5}, "x"])
def test_a_config_that_lies_says_nothing(config: object) -> None:
    """Given a configuration of the wrong shape, then no remote host is told."""
    source = ORIGIN.trace(PLACE, store("h/n/m/t", config=config))
    assert source is not None
    assert source.remote_host is None


def test_manifests_have_an_end() -> None:
    """Given more manifests than are read, then the search ends."""
    shelf = store(*(f"h/n/m/{number:06}" for number in range(MANIFESTS_LIMIT + 1)))
    shelf.files = {
        name: content if name.endswith(f"{MANIFESTS_LIMIT:06}") else b"{}" for name, content in shelf.files.items()
    }
    assert ORIGIN.trace(PLACE, shelf) == Source("ollama", digest=DIGEST)


@given(st.recursive(st.none() | st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_survives_any_json(value: object) -> None:
    """Whatever JSON stands for a layer, nothing is raised."""
    manifest = {"layers": [value, {"digest": f"sha256:{DIGEST}", "mediaType": value}], "config": value}
    shelf = Shelf({"manifests/h/n/m/t": json.dumps(manifest).encode()})
    assert ORIGIN.trace(PLACE, shelf) is not None
