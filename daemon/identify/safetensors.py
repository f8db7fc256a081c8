"""safetensors, the format of Hugging Face for weights without code."""

import json
import re

from modelwarden.daemon.identify.reading import claims, json_object, safetensors_header, transformers_config
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.safetensors_header import ARCHITECTURES, LICENSES, NAMES, Header
from modelwarden.daemon.identify.reading.shards import shard_of
from modelwarden.daemon.identify.reading.transformers_config import Config
from modelwarden.daemon.identify.sniffer import Format, Identity, Shard, Window

INDEX_LIMIT = 16 << 20
"""The index of a model of 90,000 tensors has 9 MB; it is searched, not parsed."""
ADAPTER = "adapter_model"
"""The stem of the weights that PEFT writes (`SAFETENSORS_WEIGHTS_NAME` in its `utils/constants.py`)."""
_PART = re.compile(r"-[0-9]{1,6}-of-[0-9]{1,6}(?=\.safetensors\Z)")


class Safetensors:
    """The safetensors format."""

    name = "safetensors"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a plausible length of the header in front of an opening brace."""
        return safetensors_header.is_header(head, size)

    def identify(self, window: Window) -> Identity | None:
        """The identity from the header, completed by the neighbours; `None` for what merely begins like one."""
        header, complete = Header(), False
        try:
            problem = safetensors_header.read(window, header)
            complete = True
        except Damaged as damage:
            if not (header.dtypes or header.metadata or safetensors_header.is_signed(window)):
                return None
            problem = str(damage)
        config = _config(window)
        return Identity(
            self.name,
            name=header.claim(NAMES) or config.name,
            architecture=header.claim(ARCHITECTURES) or config.architecture,
            parameters=(header.parameters or None) if complete else None,
            quantization=config.quantization or claims.dominant(header.dtypes),
            license=header.claim(LICENSES),
            problem=problem,
            tensor_types=claims.most_first(header.dtypes) if complete else (),
            shard=_shard(window),
        )


def _config(window: Window) -> Config:
    """What `adapter_config.json` (beside an adapter) or `config.json` says of the weights."""
    if window.name.startswith(ADAPTER):
        return _adapter(window) or Config()
    return transformers_config.read(window.beside) or Config()


def _adapter(window: Window) -> Config | None:
    """What PEFT says of an adapter: the model that it changes is not what it is, so its name says both.

    Source: `LoraConfig` and `PeftConfigMixin.save_pretrained` in PEFT's `config.py`.
    """
    document = json_object.parse(window.beside.read("adapter_config.json"))
    if document is None:
        return None
    base = claims.text(document.get("base_model_name_or_path"))
    kind = claims.text(document.get("peft_type")) or "PEFT"
    mapping = document.get("auto_mapping")
    built = mapping.get("base_model_class") if isinstance(mapping, dict) else None
    return Config(architecture=claims.text(built), name=None if base is None else _adapter_name(kind, base))


def _adapter_name(kind: str, base: str) -> str | None:
    """Of a base on the disk of whoever trained it, the last part of the path."""
    is_repository = base.count("/") == 1 and not base.startswith(("/", ".", "~"))
    return claims.text(f"{kind[:20]} adapter of {base if is_repository else base.rstrip('/').rpartition('/')[2]}")


def _shard(window: Window) -> Shard | None:
    """By the file's name, unless there is an index beside it that does not list the file."""
    shard = shard_of(window.name)
    if shard is None:
        return None
    index = window.beside.read(_PART.sub("", window.name) + ".index.json", INDEX_LIMIT)
    return shard if index is None or json.dumps(window.name).encode() in index else None


FORMAT: Format = Safetensors()
