"""NVIDIA NeMo's archives: a tar, packed or not, of a configuration, the weights as PyTorch saves them, and a tokenizer.

Source: `core/connectors/save_restore_connector.py` of NeMo.
"""

import re

from modelwarden.daemon.identify.reading import claims, tar, torch_archive, torch_stream, unpack
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.part import Part, Unpacked
from modelwarden.daemon.identify.reading.torch_weights import Weights
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

CONFIG, WEIGHTS = "model_config.yaml", "model_weights.ckpt"
CONFIG_LIMIT = 1 << 18
"""Bytes of the configuration that are read: a long one has 30 KiB, but for vocabularies."""
UNPACKED_LIMIT = 8 << 20
"""Bytes of a packed archive that are looked at."""
STRANGE_LIMIT = 1 << 18
"""The same for one whose name does not say that it is NeMo's."""
_CLAIM = re.compile(r"""^(name|target):[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#'"&*!|>{\[?$][^\n#]*))""", re.MULTILINE)


class Nemo:
    """The NeMo format."""

    name = "nemo"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a gzip or the name of a first member: what is in it, `identify` sees."""
        return size >= 64 and (head[:3] == b"\x1f\x8b\x08" or tar.may_begin(head))

    def identify(self, window: Window) -> Identity | None:
        """The identity from the configuration and, where the archive is not packed, the weights."""
        is_named = window.name.lower().endswith(".nemo")
        is_packed = window.read(0, 2) == b"\x1f\x8b"
        opened: Window = window
        if is_packed:
            if not tar.is_header(unpack.unpack(window, tar.BLOCK)):
                return None
            limit = UNPACKED_LIMIT if is_named else STRANGE_LIMIT
            opened = Unpacked(unpack.unpack(window, limit), window)
        if not tar.is_header(opened.read(0, tar.BLOCK)):
            return None
        found, problem = _members(opened)
        if is_packed and found.keys() >= {CONFIG, WEIGHTS}:
            problem = None  # it is the part that was unpacked which ends, not the archive
        if not (found.keys() >= {CONFIG, WEIGHTS} or (is_named and found and problem)):
            return None
        return _identity(self.name, found, problem, read_weights=not is_packed)


def _members(window: Window) -> tuple[dict[str, Part], str | None]:
    found: dict[str, Part] = {}
    try:
        for entry in tar.entries(window):
            # Weights in many files stand in a folder of that name; one of them shows that they are there.
            name = WEIGHTS if entry.name.startswith("model_weights/") else entry.name
            if name in {CONFIG, WEIGHTS}:
                found.setdefault(name, Part(window, entry.offset, entry.size, entry.name))
    except Damaged as damage:
        return found, str(damage)
    except BudgetSpentError:
        return found, "it is larger than an inspection reads"
    return found, None


def _identity(format: str, found: dict[str, Part], problem: str | None, *, read_weights: bool) -> Identity:  # noqa: A002
    claimed = _claims(found[CONFIG]) if CONFIG in found else {}
    weights, complete = Weights(), False
    if WEIGHTS in found and read_weights:
        weights, complete, damage = _weights(found[WEIGHTS])
        problem = problem or damage
    return Identity(
        format,
        name=claims.text(claimed.get("name")),
        architecture=claims.text(claimed.get("target", "").rpartition(".")[2]),
        parameters=claims.parameters(weights.parameters) if complete else None,
        quantization=claims.dominant(weights.types),
        problem=problem,
        tensor_types=claims.most_first(weights.types),
    )


def _claims(config: Part) -> dict[str, str]:
    """The values of `name` and `target` at the outer level of the YAML, where they are plain or in quotes."""
    text = config.read(0, CONFIG_LIMIT).decode("utf-8", "replace")
    claimed: dict[str, str] = {}
    for key, double, single, plain in _CLAIM.findall(text):
        claimed.setdefault(key, double or single or plain.strip())
    return {key: value for key, value in claimed.items() if value not in {"null", "~"}}


def _weights(part: Part) -> tuple[Weights, bool, str | None]:
    """The sums of the weights, whether they are complete, and what is wrong with them."""
    head = part.read(0, 64)
    if torch_stream.has_magic(head):
        weights = Weights()
        complete, problem = torch_stream.read(part, weights)
        return weights, complete, problem
    archive = torch_archive.read(part) if head[:4] == b"PK\3\4" else None
    if archive is None:
        return Weights(), False, None
    return archive.weights, archive.is_complete, archive.problem


FORMAT: Format = Nemo()
