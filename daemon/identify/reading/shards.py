"""Which part of a model a file is, by its name."""

import re

from modelwarden.daemon.identify.sniffer import Shard

NAME_LIMIT = 255
"""The longest name that a file can have on Linux, in bytes (NAME_MAX)."""
COUNT_LIMIT = 9999
"""The largest real models have some hundred parts."""
_PART = re.compile(r"-([0-9]{1,6})-of-([0-9]{1,6})(?:\.[^/]*)?\Z")


def shard_of(name: str) -> Shard | None:
    """The part that a name such as `model-00001-of-00003.safetensors` claims, `None` for a file that is whole.

    Parts are counted from 1: `serialization/_base.py` of huggingface_hub, `llama_split_path` of llama.cpp. Both pad to
    five digits; DeepSeek's count has six.
    """
    found = _PART.search(name) if len(name) <= NAME_LIMIT else None
    if found is None:
        return None
    index, count = int(found[1]), int(found[2])
    return Shard(index, count) if 1 <= index <= count and 2 <= count <= COUNT_LIMIT else None
