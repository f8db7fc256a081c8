"""What the `config.json` beside the weights says of a model of transformers or diffusers.

Source: `configuration_utils.py` of both libraries; `utils/quantization_config.py` of transformers.
"""

import re
from dataclasses import dataclass

from modelwarden.daemon.identify.reading import claims, json_object
from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT, Folder

BITS_MAX = 64
_COMMIT = re.compile(r"[0-9a-f]{32,64}")


@dataclass(frozen=True, slots=True)
class Config:
    """Claims of a configuration, `None` where it says nothing."""

    architecture: str | None = None
    """The class that is built, such as `LlamaForCausalLM`."""
    name: str | None = None
    """What the weights were loaded from when they were saved: for a model trained further, often what it was before."""
    quantization: str | None = None
    """The method, with the bits of a weight where they are said: `gptq-4bit`, `fp8`."""
    has_remote_code: bool = False
    """Whether it names classes in Python files of the repository, which `trust_remote_code` would run."""


def read(folder: Folder) -> Config | None:
    """The configuration in the folder of the weights; `None` when there is none that can be read."""
    document = json_object.parse(folder.read("config.json", DOCUMENT_LIMIT))
    if document is None:
        return None
    return Config(
        architecture=_architecture(document),
        name=_name(document.get("_name_or_path")),
        quantization=_quantization(document.get("quantization_config")),
        has_remote_code=bool(document.get("auto_map")),
    )


def _architecture(document: dict[str, object]) -> str | None:
    listed = document.get("architectures")
    first = listed[0] if isinstance(listed, list) and listed else None
    for claim in (first, document.get("_class_name"), document.get("model_type")):
        found = claims.text(claim)
        if found is not None:
            return found
    return None


def _name(claim: object) -> str | None:
    """A repository as it is (`org/model`), the last part of a path on the machine of whoever saved it."""
    path = claims.text(claim)
    if path is None:
        return None
    path = path.rstrip("/")
    if path.startswith(("/", ".", "~")) or path.count("/") > 1:
        path = path.rpartition("/")[2]
    # The cache of the hub ends in a commit.
    return None if _COMMIT.fullmatch(path) else path.strip(". ~") or None


def _quantization(section: object) -> str | None:
    if not isinstance(section, dict):
        return None
    method = claims.text(section.get("quant_method"))
    if method is None:
        return None
    for bits in (section.get("bits"), section.get("w_bit")):
        if type(bits) is int and 1 <= bits <= BITS_MAX:
            return f"{method}-{bits}bit"
    # bitsandbytes has a switch for each width.
    for bits in (4, 8):
        if section.get(f"load_in_{bits}bit") is True:
            return f"{method}-{bits}bit"
    return method
