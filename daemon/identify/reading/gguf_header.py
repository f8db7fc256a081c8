"""The layout of a GGUF header: its metadata keys with their values, then a description of each tensor.

Source: `docs/gguf.md` of ggml; byte order of version 3 and the narrow counts of version 1 as its
reference reader has them; `split.*` as llama.cpp's `llama-gguf-split` writes them.
"""

from struct import Struct

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.ggml import TENSOR_TYPES

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
        "split.no",
        "split.count",
    )
)


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
