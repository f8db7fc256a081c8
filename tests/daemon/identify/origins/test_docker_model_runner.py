"""Docker Model Runner's store: which tag a blob or a laid-out file belongs to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models import Shelf

from modelwarden.daemon.identify.origins.docker_model_runner import ORIGIN
from modelwarden.daemon.identify.origins.origin import Location, Source

MODEL, PROJECTOR, LICENSE, ID = ("1" * 64, "2" * 64, "3" * 64, "4" * 64)
LAYERS = [
    {"mediaType": "application/vnd.docker.ai.gguf.v3", "digest": f"sha256:{MODEL}"},
    {"mediaType": "application/vnd.docker.ai.mmproj", "digest": f"sha256:{PROJECTOR}"},
    {"mediaType": "application/vnd.docker.ai.license", "digest": f"sha256:{LICENSE}"},
]
TAGS = ["index.docker.io/ai/smollm2:latest", "z:1"]


def store(tags: object = TAGS, layers: object = LAYERS, files: object = None) -> Shelf:
    """A store with one model."""
    blobs = [f"sha256:{one}" for one in (MODEL, PROJECTOR, LICENSE)] if files is None else files
    index = {"models": [1, {"id": f"sha256:{ID}", "tags": tags, "files": blobs}]}
    return Shelf(
        {
            "models.json": json.dumps(index).encode(),
            f"manifests/sha256/{ID}": json.dumps({"layers": layers}).encode(),
            f"blobs/sha256/{LICENSE}": b"\n   Apache License\n",
        }
    )


def expected(digest: str | None, role: str | None, file: str | None = None) -> Source:
    """The source of a file of the model."""
    return Source(
        "docker_model_runner", "ai/smollm2", "latest", file, "ai/smollm2:latest", role, "Apache License", digest
    )


@pytest.mark.parametrize(("blob", "role"), [(MODEL, "model"), (PROJECTOR, "projector"), (LICENSE, None)])
def test_tells_a_blob(blob: str, role: str | None) -> None:
    """Given a blob of a model, then its tag, role, licence and digest are told."""
    location = ORIGIN.locate(f"/models/blobs/sha256/{blob}", {})
    assert location == Location(2, f"blobs/sha256/{blob}")
    assert ORIGIN.trace(location, store()) == expected(blob, role)


@pytest.mark.parametrize(
    ("file", "blob", "role"), [("model.gguf", MODEL, "model"), ("model.mmproj", PROJECTOR, "projector")]
)
def test_tells_a_file_that_was_laid_out(file: str, blob: str, role: str) -> None:
    """Given a file of a bundle, then it is the layer that it can only be."""
    location = ORIGIN.locate(f"/root/.docker/models/bundles/sha256/{ID}/model/{file}", {})
    assert location == Location(4, f"bundles/sha256/{ID}/model/{file}")
    assert ORIGIN.trace(location, store()) == expected(blob, role, file)


def test_shards_are_laid_out_in_the_order_of_layers() -> None:
    """Given several layers of weights, then the number in a file's name is that of its layer."""
    layers = [*LAYERS, {**LAYERS[0], "digest": "sha256:" + "5" * 64}]
    file = "model-00002-of-00002.gguf"
    location = Location(4, f"bundles/sha256/{ID}/model/{file}")
    assert ORIGIN.trace(location, store(layers=layers)) == expected("5" * 64, "model", file)


@pytest.mark.parametrize("file", ["model.gguf", "model-00003-of-00002.gguf", "model-00000-of-00002.gguf"])
def test_a_file_that_may_be_any_layer_has_no_digest(file: str) -> None:
    """Given several layers of weights and a name that tells none of them, then no digest is claimed."""
    layers = [*LAYERS, {**LAYERS[0], "digest": "sha256:" + "5" * 64}]
    location = Location(4, f"bundles/sha256/{ID}/model/{file}")
    assert ORIGIN.trace(location, store(layers=layers)) == expected(None, None, file)


def test_a_port_is_no_tag() -> None:
    """Given a registry with a port and no tag, then there is no revision."""
    source = ORIGIN.trace(Location(2, f"blobs/sha256/{MODEL}"), store(tags=["example.com:5000/a/b"]))
    assert source is not None
    assert (source.repository, source.revision) == ("example.com:5000/a/b", None)


def test_a_blob_of_no_model_has_its_digest() -> None:
    """Given a blob that no model has, then only the digest is told."""
    other = Location(2, "blobs/sha256/" + "9" * 64)
    assert ORIGIN.trace(other, store()) == Source("docker_model_runner", digest="9" * 64)


def test_without_an_index_it_is_another_store() -> None:
    """Given blobs of an image layout of somebody else, then there is no source."""
    assert ORIGIN.trace(Location(2, f"blobs/sha256/{MODEL}"), Shelf()) is None


@pytest.mark.parametrize(
    "path",
    [
        f"/m/blobs/sha256/{MODEL}.incomplete",
        f"/m/blobs/md5/{MODEL}",
        f"/m/bundles/sha256/{ID}/config.json",
        f"/m/bundles/sha256/{ID}/model",
        "/m/blobs/sha256/1234",
        "",
    ],
)
def test_others_are_elsewhere(path: str) -> None:
    """Downloads that have not ended and other files are none of its models."""
    assert ORIGIN.locate(path, {}) is None


@given(st.recursive(st.none() | st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_survives_any_json(value: object) -> None:
    """Whatever stands in index and manifest, nothing is raised."""
    for location in (Location(2, f"blobs/sha256/{MODEL}"), Location(3, f"bundles/sha256/{ID}/model/m.gguf")):
        ORIGIN.trace(location, store(tags=value, layers=[value, {"mediaType": value, "digest": value}]))
        ORIGIN.trace(location, store(files=value, layers=value))
