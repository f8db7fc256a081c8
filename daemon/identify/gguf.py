"""GGUF, the format of llama.cpp, Ollama and LM Studio.

Source: `docs/gguf.md` of ggml; byte order of version 3 and the narrow counts of version 1 as its
reference reader has them.
"""

import re
from struct import Struct

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.ggml import FILE_TYPE_GUESSED, FILE_TYPES, TENSOR_TYPES
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

KEYS_LIMIT = 10_000
KEY_BYTES_LIMIT = 65_535
STRINGS_LIMIT = 2_000_000
"""Strings in arrays that are stepped over: the largest real vocabularies with their merges have 0.8 million."""
SKIPPED_LIMIT = 64 << 20
"""Bytes of such arrays: the largest real one has 16 MiB."""
TENSORS_LIMIT = 100_000
DIMENSIONS_LIMIT = 8
VALUE_LIMIT = 4096
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
WANTED = frozenset(
    (
        "general.architecture",
        "general.name",
        "general.basename",
        "general.size_label",
        "general.parameter_count",
        "general.file_type",
        "general.license",
        "general.license.name",
        "general.alignment",
    )
)
SIZE_LABEL = re.compile(r"(?:(\d{1,3})x)?(\d{1,5}(?:\.\d{1,3})?)([KMBT])(?![a-z])", re.IGNORECASE)
SCALE = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
DIGEST = re.compile(r"[0-9a-f]{32,64}")


class Header:
    """The layout of one file's numbers, with what was read of its metadata so far."""

    __slots__ = ("claimed", "counts", "cursor", "order", "strings")

    def __init__(self, cursor: Cursor) -> None:
        version = cursor.take(8)[4:]
        self.order = "<" if version[:2] != b"\0\0" else ">"
        number = int.from_bytes(version, "little" if self.order == "<" else "big")
        if not 1 <= number <= 3:
            raise Damaged(f"GGUF version {number} is unknown")
        self.counts = Struct(self.order + ("I" if number == 1 else "Q"))
        self.cursor = cursor
        self.claimed: dict[str, object] = {}
        self.strings = STRINGS_LIMIT

    def read_metadata(self, count: int) -> None:
        """Walk over `count` keys, keeping the values of the wanted ones."""
        if count > KEYS_LIMIT:
            raise Damaged("it claims more metadata keys than any model has")
        kind = Struct(self.order + "I")
        for _ in range(count):
            length = self.cursor.number(self.counts)
            if length > KEY_BYTES_LIMIT:
                raise Damaged("a metadata key is longer than the format allows")
            key = self.cursor.take(length).decode("ascii", "replace")
            value = self._value(self.cursor.number(kind), keep=key in WANTED)
            if value is not None:
                self.claimed.setdefault(key, value)

    def _value(self, kind: int, *, keep: bool) -> object:
        cursor = self.cursor
        if kind == STRING:
            length = cursor.number(self.counts)
            value = cursor.take(min(length, VALUE_LIMIT)) if keep else b""
            cursor.skip(length - len(value))
            return value
        if kind == ARRAY:
            self._skip_array()
            return None
        if kind not in SCALARS:
            raise Damaged(f"metadata type {kind} is unknown")
        layout = Struct(self.order + SCALARS[kind])
        return layout.unpack(cursor.take(layout.size))[0]

    def _skip_array(self) -> None:
        kind = self.cursor.number(Struct(self.order + "I"))
        count = self.cursor.number(self.counts)
        if kind in SCALARS:
            self.cursor.skip(count * Struct(self.order + SCALARS[kind]).size)
            return
        if kind != STRING:
            raise Damaged(f"an array of metadata type {kind} is not allowed")
        if count > self.strings:
            raise Damaged("its vocabulary is larger than an inspection reads")
        self.strings -= count
        # A piece at a time, so that no length in the array can make the walk longer than its limit.
        start = self.cursor.offset
        while count:
            piece = min(count, 50_000)
            self.cursor.skip_strings(piece, self.counts)
            count -= piece
            if self.cursor.offset - start > SKIPPED_LIMIT:
                raise Damaged("its vocabulary is larger than an inspection reads")


class Tensors:
    """The sums over the tensor table."""

    __slots__ = ("end", "parameters", "types")

    def __init__(self) -> None:
        self.parameters = 0
        self.types: dict[str, int] = {}
        self.end = 0
        """Bytes that the tensors take behind the header, as far as their types are known."""

    def read(self, header: Header, count: int) -> None:
        """Walk over `count` tensor descriptions."""
        if count > TENSORS_LIMIT:
            raise Damaged("it claims more tensors than any model has")
        cursor, counts = header.cursor, header.counts
        narrow, wide = Struct(header.order + "I"), Struct(header.order + "Q")
        for _ in range(count):
            cursor.skip(cursor.number(counts))
            dimensions = cursor.number(narrow)
            if dimensions > DIMENSIONS_LIMIT:
                raise Damaged(f"a tensor of {dimensions} dimensions is not allowed")
            weights = 1
            for _ in range(dimensions):
                weights *= cursor.number(counts)
            kind, offset = cursor.number(narrow), cursor.number(wide)
            self._add(weights, kind, offset)

    def _add(self, weights: int, kind: int, offset: int) -> None:
        self.parameters += weights
        if self.parameters > claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)
        name, per_block, block_bytes = TENSOR_TYPES.get(kind, (f"type {kind}", 1, 0))
        self.types[name] = self.types.get(name, 0) + weights
        self.end = max(self.end, offset + weights // per_block * block_bytes)


class Gguf:
    """The GGUF format."""

    name = "gguf"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the magic alone: nothing else starts so."""
        return head[:4] == b"GGUF" and size > 4

    def identify(self, window: Window) -> Identity:
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
            self.name,
            name=_name(claimed),
            architecture=claims.text(claimed.get("general.architecture")),
            parameters=parameters,
            quantization=_quantization(claimed, tensors),
            license=claims.text(claimed.get("general.license")) or claims.text(claimed.get("general.license.name")),
            problem=problem or absurd,
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


FORMAT: Format = Gguf()
