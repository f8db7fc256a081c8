"""Makes one model of the files that it is spread over."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from modelwarden.daemon.identify.reading.shards import COUNT_LIMIT
from modelwarden.daemon.snapshot import Document

_NUMBER = re.compile(r"(?<![0-9])[0-9]++(?=-of-[0-9])")
"""`model-00001-of-00003.safetensors`, as most name their parts."""
_BARE_NUMBER = re.compile(r"(?<=_)[0-9]++(?=(?:\.[a-z][a-z0-9]*){1,2}\Z)")
"""`params_shard_1.bin` of MLC, `model_00001.weights.h5` of Keras: how many there are is said elsewhere."""
_BADNESS = {"safe": 0, "pending": 1, "unscannable": 2, "suspicious": 3, "malicious": 4}
_NOT_JUDGED = 1


class _Set(NamedTuple):
    """What the parts of one model have in common."""

    folder: str
    name: str
    """With the number left out."""
    format: str
    revision: str
    parts: int


def merge_shards(documents: Iterable[Document]) -> list[Document]:
    """Models instead of files, in the order in which they come; each has `shards`, `null` when it is one file.

    Parts belong together when they lie in one folder and have the same format, the same count and the same name but
    for the number. Of several files with the same number the one that was seen last counts: its size and its weights
    are the model's, while what speaks against any of them speaks against the model.
    """
    merged: list[Document | _Set] = []
    sets: dict[_Set, list[tuple[int, Document]]] = {}
    for document in documents:
        part = _part(document)
        if part is None:
            merged.append({**document, "shards": None})
            continue
        index, one_set = part
        if one_set not in sets:
            merged.append(one_set)
        sets.setdefault(one_set, []).append((index, document))
    return [_merge(sets[one], one.parts) if isinstance(one, _Set) else one for one in merged]


def merge_census(workloads: Iterable[Document], files: Iterable[Document]) -> tuple[list[Document], list[Document]]:
    """(workloads, models), with models instead of files in both: for those who read.

    What is kept are files, for each of them comes and goes by itself.
    """
    merged = [{**workload, "models": merge_shards(workload.get("models") or ())} for workload in workloads]
    return merged, merge_shards(files)


def _part(document: Document) -> tuple[int, _Set] | None:
    """Which part of which set, `None` for a file that is whole, or whose numbers make no sense."""
    match document.get("shard"):
        case {"index": int(index), "count": int(count)} if 1 <= index <= count <= COUNT_LIMIT:
            folder, _, name = str(document.get("path") or "").rpartition("/")
            origin = _mapping(document.get("origin"))
            # A content-addressed store calls the file by its hash; its name in the repository has the number.
            name = str(origin.get("file") or name)
            name = (_NUMBER if _NUMBER.search(name) else _BARE_NUMBER).sub("", name)
            return index, _Set(folder, name, str(document.get("format")), str(origin.get("revision")), count)
    return None


def _merge(parts: Sequence[tuple[int, Document]], count: int) -> Document:
    """One model; what it is called is what its first part says, its quantisation that of most weights."""
    files = [document for _, document in parts]
    latest = dict(sorted(parts, key=lambda part: str(part[1].get("last_seen") or "")))
    shards = [latest[index] for index in sorted(latest)]
    verdicts = (one.get("verdict") for one in files)
    return {
        **{name: _first(shards, name) for name in dict.fromkeys(name for shard in shards for name in shard)},
        "paths": list(dict.fromkeys(path for one in (*shards, *files) for path in _paths(one))),
        "parameters": _sum(shards, "parameters"),
        "quantization": _heaviest(shards, "quantization"),
        "tensor_types": _tensor_types(shards),
        "size": _sum(shards, "size"),
        "sha256": shards[0].get("sha256") if count == 1 else None,
        "verified": len(shards) == count and all(one.get("verified") is True for one in files),
        "verdict": max(verdicts, key=lambda verdict: _BADNESS.get(str(verdict), _NOT_JUDGED)),
        "findings": list(dict.fromkeys(finding for one in files for finding in one.get("findings") or ())),
        # One load opens each part once: the sum would count parts.
        "opens": max(_number(one.get("opens")) or 0 for one in files),
        "first_seen": min((str(one["first_seen"]) for one in files if one.get("first_seen")), default=None),
        "last_seen": max((str(one["last_seen"]) for one in files if one.get("last_seen")), default=None),
        "shard": None,
        "shards": {
            "count": count,
            "seen": len(shards),
            "files": [{name: one.get(name) for name in ("path", "size", "sha256")} for one in shards],
        },
    }


def _first(shards: Iterable[Document], name: str) -> object:
    return next((shard[name] for shard in shards if shard.get(name) is not None), None)


def _paths(document: Document) -> list[object]:
    return [document.get("path"), *(document.get("paths") or ())]


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _sum(shards: Iterable[Document], name: str) -> int | None:
    """Of all that were seen; `None` when one of them does not say."""
    values = [_number(shard.get(name)) for shard in shards]
    return None if None in values else sum(value for value in values if value is not None)


def _heaviest(shards: Iterable[Document], name: str) -> object:
    weights: Counter[object] = Counter()
    for shard in shards:
        if shard.get(name) is not None:
            weights[shard[name]] += _number(shard.get("parameters")) or 0
    return max(weights, key=weights.__getitem__, default=None)


def _tensor_types(shards: Iterable[Document]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for shard in shards:
        total.update({name: _number(count) or 0 for name, count in _mapping(shard.get("tensor_types")).items()})
    return dict(total.most_common())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
