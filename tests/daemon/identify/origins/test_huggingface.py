"""The hub's cache: a folder that huggingface_hub itself wrote, and folders that lie."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hub import COMMIT, WEIGHTS, shelf_of, write_hub
from tests.models import Shelf

from modelwarden.daemon.identify.origins.huggingface import LOOKS_LIMIT, ORIGIN
from modelwarden.daemon.identify.origins.origin import Location, Source

DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
OLDER = "0" * 40
REPOSITORY = "models--org--tiny"


def trace(inside: str, shelf: Shelf) -> Source | None:
    """What the store tells of a file that lies in it."""
    location = ORIGIN.locate(f"/home/dana/.cache/huggingface/hub/{inside}", {})
    assert location is not None
    assert location.inside == inside
    return ORIGIN.trace(location, shelf)


def blob_and_links(commits: tuple[str, ...], file: str = "model.safetensors") -> Shelf:
    """A repository with one blob in several snapshots."""
    up = "../" * (2 + file.count("/"))
    links = {f"{REPOSITORY}/snapshots/{one}/{file}": f"{up}blobs/{DIGEST}" for one in commits}
    return Shelf({f"{REPOSITORY}/blobs/{DIGEST}": WEIGHTS}, links)


def test_tells_a_blob_of_a_real_cache(tmp_path: Path) -> None:
    """Given a download by huggingface_hub, then the blob has its repository, commit, name, licence and digest."""
    shelf = shelf_of(write_hub(tmp_path))
    assert trace(f"{REPOSITORY}/blobs/{DIGEST}", shelf) == Source(
        "huggingface",
        repository="org/tiny",
        revision=COMMIT,
        file="onnx/model.safetensors",
        license="apache-2.0",
        digest=DIGEST,
        shown=f"models--org--tiny/snapshots/{COMMIT}/onnx/model.safetensors",
    )


def test_tells_the_same_of_the_link(tmp_path: Path) -> None:
    """Given the path of a link in a snapshot, then it is the file that the link leads to."""
    shelf = shelf_of(write_hub(tmp_path))
    link = f"{REPOSITORY}/snapshots/{COMMIT}/onnx/model.safetensors"
    assert trace(link, shelf) == trace(f"{REPOSITORY}/blobs/{DIGEST}", shelf)


@pytest.mark.parametrize(
    "path",
    [
        "/data/datasets--org--tiny/blobs/" + DIGEST,
        "/data/spaces--org--tiny/blobs/" + DIGEST,
        "/data/models--org--tiny/refs/main",
        "/data/models--org--tiny/blobs/sub/" + DIGEST,
        "/data/models--org--tiny/snapshots/" + COMMIT,
        "/data/models--org--tiny",
        "/data/blobs/" + DIGEST,
        "relative/models--org--tiny/blobs/" + DIGEST,
        "/models--a--b/snapshots/" + COMMIT + "/d" * 8,
        "/",
        "",
    ],
)
def test_others_are_elsewhere(path: str) -> None:
    """Data sets, spaces, what is no weights' place, and depths without end lie in no such store."""
    assert ORIGIN.locate(path, {}) is None


def test_a_moved_cache_keeps_its_shape() -> None:
    """Wherever the cache was moved, the repository's folder tells it."""
    assert ORIGIN.locate("/mnt/models--a--b/blobs/x", {}) == Location(2, "models--a--b/blobs/x")


def test_main_comes_first() -> None:
    """Given a blob in two snapshots, then the commit is the one that `main` means."""
    shelf = blob_and_links((OLDER, COMMIT))
    shelf.files[f"{REPOSITORY}/refs/main"] = COMMIT.encode()
    source = trace(f"{REPOSITORY}/blobs/{DIGEST}", shelf)
    assert source is not None
    assert source.revision == COMMIT


def test_a_blob_without_a_link_has_no_commit() -> None:
    """Given a blob to which no snapshot leads, then only repository and digest are told."""
    shelf = blob_and_links((COMMIT,))
    shelf.links = dict.fromkeys(shelf.links, "../../blobs/other")
    expected = Source("huggingface", repository="org/tiny", digest=DIGEST)
    assert trace(f"{REPOSITORY}/blobs/{DIGEST}", shelf) == expected


@pytest.mark.parametrize("name", [DIGEST + ".incomplete", "a" * 40])
def test_only_a_sha256_is_a_digest(name: str) -> None:
    """Given a download that has not ended, or git's own hash, then no digest is claimed."""
    assert trace(f"{REPOSITORY}/blobs/{name}", Shelf()) == Source("huggingface", repository="org/tiny")


@pytest.mark.parametrize("folder", ["models--", "models--a--b--c", "models------"])
def test_no_repository_is_no_source(folder: str) -> None:
    """Given a folder that names no repository, then there is no source."""
    assert trace(f"{folder}/blobs/{DIGEST}", Shelf()) is None


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../../etc/passwd", ""])
def test_a_link_out_of_the_store_leads_nowhere(target: str) -> None:
    """Given a model card that links to somewhere else, then it is not read."""
    shelf = blob_and_links((COMMIT,))
    shelf.links[f"{REPOSITORY}/snapshots/{COMMIT}/README.md"] = target
    shelf.files["etc/passwd"] = b"---\nlicense: stolen\n---\n"
    source = trace(f"{REPOSITORY}/blobs/{DIGEST}", shelf)
    assert source is not None
    assert source.license is None


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (b"---\nlicense: mit\n---\n", "mit"),
        (b"---\r\ntags:\r\n- a\r\nlicense: 'llama3.2' # see below\r\n---\r\n", "llama3.2"),
        (b"---\nlicense:\n- cc-by-4.0\n- mit\n---\n", "cc-by-4.0"),
        (b"---\nlicense: [mit, apache-2.0]\n---\n", "mit"),
        (b"---\nlicense: other\nlicense_name: tiny-community\n---\n", "tiny-community"),
        (b"---\nlicense: other\n---\n", "other"),
        (b"---\nlicense:\n---\n", None),
        (b"---\nname: x\n---\nlicense: mit\n", None),
        (b"license: mit\n", None),
        (b"---\n" + b"a\n" * 500_000, None),
        (b"\xff\xfe", None),
    ],
)
def test_reads_the_card(card: bytes, expected: str | None) -> None:
    """The licence stands in the card's metadata, in one of the forms that people write."""
    shelf = blob_and_links((COMMIT,))
    shelf.files[f"{REPOSITORY}/snapshots/{COMMIT}/README.md"] = card
    source = trace(f"{REPOSITORY}/blobs/{DIGEST}", shelf)
    assert source is not None
    assert source.license == expected


def test_looks_have_an_end() -> None:
    """Given snapshots without end, then the search ends and the rest is told."""
    shelf = blob_and_links((COMMIT,))
    shelf.files |= {f"{REPOSITORY}/snapshots/{number:040}/file": b"" for number in range(2 * LOOKS_LIMIT)}
    source = trace(f"{REPOSITORY}/blobs/{DIGEST}", shelf)
    assert source == Source("huggingface", repository="org/tiny", digest=DIGEST)


@given(st.dictionaries(st.text(max_size=8), st.binary(max_size=40)), st.text(max_size=50), st.text(max_size=30))
def test_survives_any_text(files: dict[str, bytes], target: str, name: str) -> None:
    """Whatever names, links and documents say, nothing is raised."""
    shelf = blob_and_links((COMMIT,))
    shelf.files |= {f"{REPOSITORY}/snapshots/{key}": value for key, value in files.items()}
    shelf.links = dict.fromkeys(shelf.links, target)
    location = ORIGIN.locate(f"/x/models--{name}/blobs/{DIGEST}", {})
    if location is not None:
        ORIGIN.trace(location, shelf)
