"""The shards in which MLC-LLM and WebLLM keep weights: raw numbers, which an index beside them describes.

Source: `tvmjs.dump_tensor_cache` in TVM (`tensor-cache.json`, until 2025 `ndarray-cache.json`), `mlc-chat-config.json`
as MLC-LLM's `gen_config.py` writes it.
"""

import re
from math import prod

from modelwarden.daemon.identify.reading import claims, json_object
from modelwarden.daemon.identify.reading.shards import COUNT_LIMIT
from modelwarden.daemon.identify.sniffer import Format, Identity, Shard, Window

INDEXES = ("tensor-cache.json", "ndarray-cache.json")
TYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "uint32": "U32", "int32": "I32", "int8": "I8"}
DIMENSIONS_MAX = 16
UNCHANGED = re.compile(r"q0b?f(?:16|32)")
"""Quantizations that are none: elsewhere a number holds several weights, with scales beside it."""
_SHARD = re.compile(r"params_shard_[0-9]{1,6}\.bin")


class Mlc:
    """The format of MLC-LLM."""

    name = "mlc"

    def recognises(self, head: bytes, size: int) -> bool:
        """Anything: the numbers have no mark, the name and the index decide."""
        return size > 0 and bool(head)

    def identify(self, window: Window) -> Identity | None:
        """The identity from the index and the configuration; `None` for a file that no index lists."""
        if not _SHARD.fullmatch(window.name):
            return None
        records = _records(window)
        names = [record.get("dataPath") for record in records]
        if window.name not in names:
            return None
        place = names.index(window.name)
        config = json_object.parse(window.beside.read("mlc-chat-config.json")) or {}
        quantization = claims.text(config.get("quantization"))
        types, problem = _types(records[place], window.size)
        is_counted = problem is None and quantization is not None and UNCHANGED.fullmatch(quantization) is not None
        return Identity(
            self.name,
            architecture=claims.text(config.get("model_type")),
            parameters=claims.parameters(sum(types.values())) if is_counted else None,
            quantization=quantization or claims.dominant(types),
            problem=problem,
            tensor_types=claims.most_first(types) if is_counted else (),
            shard=Shard(place + 1, len(names)) if 2 <= len(names) <= COUNT_LIMIT else None,
        )


def _records(window: Window) -> list[dict[str, object]]:
    for index in INDEXES:
        document = json_object.parse(window.beside.read(index))
        records = document.get("records") if document else None
        if isinstance(records, list):
            return [record for record in records if isinstance(record, dict)]
    return []


def _types(record: dict[str, object], size: int) -> tuple[dict[str, int], str | None]:
    """The numbers in one shard by their type, with the problem of a shard that is shorter than its index says."""
    needs = record.get("nbytes")
    types: dict[str, int] = {}
    for one in _tensors(record):
        kind, weights = claims.text(one.get("dtype")), _weights(one.get("shape"))
        if kind is None or weights is None:
            return types, "its index is damaged"
        name = TYPES.get(kind, kind)
        types[name] = types.get(name, 0) + weights
    is_short = isinstance(needs, int) and size < needs
    return types, "the file is shorter than its index says" if is_short else None


def _tensors(record: dict[str, object]) -> list[dict[str, object]]:
    listed = record.get("records")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _weights(shape: object) -> int | None:
    if not isinstance(shape, list) or len(shape) > DIMENSIONS_MAX:
        return None
    sizes = [size for size in shape if type(size) is int and 0 <= size <= claims.PARAMETERS_LIMIT]
    return prod(sizes) if len(sizes) == len(shape) else None


FORMAT: Format = Mlc()
