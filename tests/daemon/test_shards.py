"""Models that are several files."""

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.daemon.identify.reading.shards import COUNT_LIMIT
from modelwarden.daemon.shards import merge_census, merge_shards

EARLY, LATER, LATE = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))


def whole(path: str = "/m/tiny.gguf", **more: Any) -> dict[str, Any]:
    """A model of one file."""
    return {
        "path": path, "paths": [path], "format": "safetensors", "reason": None, "name": None, "architecture": "llama",
        "parameters": 100, "quantization": "BF16", "license": None, "size": 1000, "shard": None,
        "tensor_types": {"BF16": 100}, "sha256": None, "verified": False, "origin": None, "verdict": "pending",
        "findings": [], "opens": 2, "first_seen": EARLY, "last_seen": EARLY, **more,
    }  # fmt: skip


def part(index: int, count: int = 3, *, folder: str = "/m", **more: Any) -> dict[str, Any]:
    """One file of several, as the hub names them."""
    path = f"{folder}/model-{index:05}-of-{count:05}.safetensors"
    return whole(**{"path": path, "shard": {"index": index, "count": count}, **more})


def merged(*documents: dict[str, Any]) -> dict[str, Any]:
    """The one model that they are."""
    [model] = merge_shards(documents)
    return model


def test_one_file_stays_as_it_is() -> None:
    """Given a model of one file, then it is the same with `shards` null."""
    assert merged(whole()) == {**whole(), "shards": None}


def test_parts_become_one_model() -> None:
    """Given all parts in any order, then sizes and weights are summed, under the path of the first."""
    for order in permutations([part(1), part(2), part(3)]):
        model = merged(*order)
        assert (model["path"], model["size"], model["parameters"]) == (part(1)["path"], 3000, 300)
        assert model["paths"] == [part(index)["path"] for index in (1, 2, 3)]
        assert (model["shard"], model["tensor_types"]) == (None, {"BF16": 300})


def test_it_says_which_parts_were_seen() -> None:
    """Given two of five parts, then the count, the number seen and the files say so."""
    model = merged(part(4, 5, sha256="b" * 64), part(2, 5))
    assert model["path"] == part(2, 5)["path"]
    assert model["shards"] == {
        "count": 5,
        "seen": 2,
        "files": [
            {"path": part(2, 5)["path"], "size": 1000, "sha256": None},
            {"path": part(4, 5)["path"], "size": 1000, "sha256": "b" * 64},
        ],
    }


def test_opens_are_loads() -> None:
    """Given a load opens each part once, then the model was opened as often as its most opened part."""
    assert merged(part(1, opens=4), part(2, opens=5), part(3, opens=4))["opens"] == 5


def test_unknown_weights_are_not_guessed() -> None:
    """Given a part that does not say how many weights it has, then nobody knows the sum."""
    assert merged(part(1), part(2, parameters=None))["parameters"] is None


def test_seen_from_the_first_to_the_last() -> None:
    """The times span those of all parts."""
    model = merged(part(1, first_seen=LATER, last_seen=LATER), part(2, first_seen=EARLY, last_seen=LATE))
    assert (model["first_seen"], model["last_seen"]) == (EARLY, LATE)


def test_called_as_the_first_part_that_has_a_name() -> None:
    """A GGUF has its name in the first file only, wherever that comes."""
    model = merged(part(2, name=None), part(1, name="Big"), part(3, name="Other"))
    assert model["name"] == "Big"


def test_quantization_is_that_of_most_weights() -> None:
    """Given a first part of embeddings, then the layers decide."""
    parts = part(1, quantization="F32", parameters=10), part(2, quantization="Q8_0"), part(3, quantization=None)
    assert merged(*parts)["quantization"] == "Q8_0"


@pytest.mark.parametrize(
    ("documents", "verified"),
    [
        ([part(1, 2, verified=True), part(2, 2, verified=True)], True),
        ([part(1, 2, verified=True), part(2, 2, verified=False)], False),
        ([part(1, 2, verified=True)], False),
    ],
    ids=("all", "one is not", "one was not seen"),
)
def test_verified_when_all_of_it_is(documents: list[dict[str, Any]], verified: bool) -> None:
    """A model is no more verified than the least of its parts."""
    assert merged(*documents)["verified"] is verified


def test_hash_of_a_part_is_not_the_models() -> None:
    """A set of one has the hash of its file, a larger one has none."""
    assert merged(part(1, 1, sha256="a" * 64))["sha256"] == "a" * 64
    assert merged(part(1, 2, sha256="a" * 64), part(2, 2, sha256="a" * 64))["sha256"] is None


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        (("safe", "malicious", "pending"), "malicious"),
        (("safe", "pending", "safe"), "pending"),
        (("suspicious", "unscannable", "safe"), "suspicious"),
        (("safe", None, "safe"), None),
        (("safe", "safe", "safe"), "safe"),
    ],
)
def test_verdict_is_the_worst(verdicts: tuple[str | None, ...], worst: str | None) -> None:
    """What speaks against one part speaks against the model; what is not judged is not safe."""
    model = merged(*(part(index, verdict=verdict) for index, verdict in enumerate(verdicts, 1)))
    assert model["verdict"] == worst


def test_findings_are_joined() -> None:
    """Each once, in the order of the parts' coming."""
    model = merged(part(1, findings=["a"]), part(2, findings=["b", "a"]))
    assert model["findings"] == ["a", "b"]


@pytest.mark.parametrize(
    "other",
    [
        part(2, folder="/n"),
        part(2, format="gguf"),
        part(2, 4),
        part(2, path="/m/other-00002-of-00003.safetensors"),
        part(2, origin={"revision": "b" * 40}),
    ],
    ids=("folder", "format", "count", "name", "revision"),
)
def test_other_models_stay_other(other: dict[str, Any]) -> None:
    """Given a part that differs in folder, format, count, name or revision, then there are two models."""
    assert [model["shards"]["seen"] for model in merge_shards([part(1), other])] == [1, 1]


def test_files_called_by_their_hash() -> None:
    """Given a store that names files by content, then their names in the repository tell what belongs together."""
    blobs = [
        part(index, path=f"/hub/blobs/{4 - index:064}", origin={"file": f"fp16/model-{index:05}-of-00003.safetensors"})
        for index in (1, 2, 3)
    ]
    assert merged(*blobs)["shards"]["seen"] == 3


@pytest.mark.parametrize(
    "name", ["params_shard_{}.bin", "model_{:05}.weights.h5", "variables.data-{:05}-of-00003", "a-{}-of-3.gguf"]
)
def test_names_of_parts(name: str) -> None:
    """Given the ways in which runtimes number files, then the parts are one model."""
    assert merged(*(part(index, path=f"/m/{name.format(index)}") for index in (1, 2, 3)))["shards"]["seen"] == 3


def test_other_numbers_are_names() -> None:
    """Given a number in a name that does not count parts, then it tells models apart."""
    sizes = [part(1, path=f"/m/qwen_{size}.5b-00001-of-00003.gguf") for size in (1, 2)]
    versions = [part(1, path=f"/m/llama-v{version}.gguf") for version in (2, 3)]
    assert len(merge_shards([*sizes, *versions])) == 4


def test_same_number_twice_counts_once() -> None:
    """Given a part that was downloaded again, then the file seen last is the part, and neither verdict is lost."""
    old = part(1, parameters=7, size=70, last_seen=EARLY, verdict="malicious", findings=["x"])
    for files in permutations([old, part(1, last_seen=LATE), part(2)]):
        model = merged(*files)
        assert (model["parameters"], model["size"], model["shards"]["seen"]) == (200, 2000, 2)
        assert (model["verdict"], model["findings"]) == ("malicious", ["x"])


def test_order_is_kept() -> None:
    """A model stands where its first part stood, so that the latest stays first."""
    models = merge_shards([whole("/m/a"), part(2), whole("/m/b"), part(1)])
    assert [model["path"] for model in models] == ["/m/a", part(1)["path"], "/m/b"]


@pytest.mark.parametrize(
    "shard",
    [
        None, "1/2", [], {}, {"index": 0, "count": 2}, {"index": 3, "count": 2}, {"index": -1, "count": -1},
        {"index": 1, "count": COUNT_LIMIT + 1}, {"index": 1, "count": 1 << 80}, {"index": "1", "count": "2"},
    ],
)  # fmt: skip
def test_numbers_without_sense_make_no_set(shard: object) -> None:
    """Given a claim that no set of files can fulfil, then the file stands alone."""
    files = [part(1, shard=shard), part(2, shard=shard)]
    assert [model["shards"] for model in merge_shards(files)] == [None, None]


def test_a_huge_count_costs_nothing() -> None:
    """A claim of many parts makes no list of them."""
    assert len(merged(part(1, COUNT_LIMIT))["shards"]["files"]) == 1


def test_documents_of_an_earlier_release() -> None:
    """What has none of the newer fields is a model all the same."""
    assert merged({"path": "/m/a.gguf"}) == {"path": "/m/a.gguf", "shards": None}
    assert merged({"path": "/m/a.gguf", "shard": {"index": 1, "count": 2}})["shards"]["count"] == 2


def test_census_has_models_in_both_places() -> None:
    """Given a workload that has read both files of a model, then it has read one model, and nothing given changes."""
    workload = {"id": "w1", "models": [part(1, 2), part(2, 2)]}
    [merged_workload], [model] = merge_census([workload], [part(1, 2), part(2, 2)])
    assert merged_workload == {"id": "w1", "models": [model]}
    assert len(workload["models"]) == 2
    assert merge_census([{"id": "w2"}], []) == ([{"id": "w2", "models": []}], [])


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4), st.sets(st.sampled_from(list(part(1)))))))
def test_whatever_is_missing(claims: list[tuple[int, int, set[str]]]) -> None:
    """No claim and no gap ends the command, and each set of files is one model."""
    documents = []
    for index, count, missing in claims:
        known = {name: value for name, value in part(index, count).items() if name not in missing}
        documents.append({**known, "shard": {"index": index, "count": count}})
    models = merge_shards(documents)
    assert bool(models) == bool(documents)
    assert sum(len(model["shards"]["files"]) if model["shards"] else 1 for model in models) <= len(documents)
    json.dumps(models)
