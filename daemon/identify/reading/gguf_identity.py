"""What a GGUF header says of a model, wherever the GGUF lies: in a file of its own or in a llamafile."""

import re

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.ggml import FILE_TYPE_GUESSED, FILE_TYPES
from modelwarden.daemon.identify.reading.gguf_header import Header, Tensors
from modelwarden.daemon.identify.reading.shards import COUNT_LIMIT, shard_of
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Identity, Shard, Window

MAGIC = b"GGUF"
SIZE_LABEL = re.compile(r"(?:(\d{1,3})x)?(\d{1,5}(?:\.\d{1,3})?)([KMBT])(?![a-z])", re.IGNORECASE)
SCALE = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
DIGEST = re.compile(r"[0-9a-f]{32,64}")


def identity(window: Window, format: str) -> Identity:  # noqa: A002 - the field's name
    """The identity from the metadata and the tensor table, as far as they can be read."""
    cursor = Cursor(window)
    tensors = Tensors()
    claimed: dict[str, object] = {}
    complete, problem = False, None
    try:
        header = Header(cursor)
        claimed = header.claimed
        tensor_count = cursor.number(header.counts)
        header.read_metadata(cursor.number(header.counts))
        tensors.read(header, tensor_count)
        complete = True
        needs = _aligned(cursor.offset, claimed) + tensors.end
        if tensors.end and needs > window.size:
            problem = claims.cut_short(window.size, needs)
    except Damaged as damage:
        problem = str(damage)
    except BudgetSpentError:
        problem = "its header is larger than an inspection reads"
    parameters, absurd = (tensors.parameters or None, None) if complete else _claimed_parameters(claimed)
    return Identity(
        format,
        name=_name(claimed),
        architecture=claims.text(claimed.get("general.architecture")),
        parameters=parameters,
        quantization=_quantization(claimed, tensors),
        license=claims.text(claimed.get("general.license")) or claims.text(claimed.get("general.license.name")),
        problem=problem or absurd,
        tensor_types=claims.most_first(tensors.types) if complete else (),
        shard=_shard(claimed) or shard_of(window.name),
    )


def _aligned(offset: int, claimed: dict[str, object]) -> int:
    alignment = claimed.get("general.alignment")
    step = alignment if isinstance(alignment, int) and 0 < alignment <= 1 << 20 else 32
    return -(-offset // step) * step


def _name(claimed: dict[str, object]) -> str | None:
    for key in ("general.name", "general.basename"):
        name = claims.text(claimed.get(key))
        # Some converters put a commit where the name belongs.
        if name is not None and not DIGEST.fullmatch(name):
            return name
    return None


def _claimed_parameters(claimed: dict[str, object]) -> tuple[int | None, str | None]:
    count = claimed.get("general.parameter_count")
    if isinstance(count, int) and count > 0:
        return claims.parameters(count), None if claims.parameters(count) else claims.TOO_MANY_PARAMETERS
    label = SIZE_LABEL.match(claims.text(claimed.get("general.size_label")) or "")
    if label is None:
        return None, None
    experts, number, scale = label.groups()
    count = round(int(experts or 1) * float(number) * SCALE[scale.upper()])
    return claims.parameters(count), None if claims.parameters(count) else claims.TOO_MANY_PARAMETERS


def _quantization(claimed: dict[str, object], tensors: Tensors) -> str | None:
    number = claimed.get("general.file_type")
    if isinstance(number, int) and number & ~FILE_TYPE_GUESSED in FILE_TYPES:
        return FILE_TYPES[number & ~FILE_TYPE_GUESSED]
    return claims.dominant(tensors.types)


def _shard(claimed: dict[str, object]) -> Shard | None:
    """From the keys, which count from 0."""
    number, count = claimed.get("split.no"), claimed.get("split.count")
    if type(number) is not int or type(count) is not int:
        return None
    return Shard(number + 1, count) if 0 <= number < count and 2 <= count <= COUNT_LIMIT else None
