"""The tensors of a TensorFlow checkpoint, from the index that lies beside its data.

Source: `tensorflow/core/protobuf/tensor_bundle.proto` (BundleHeaderProto, BundleEntryProto),
`tensorflow/core/framework/types.proto` (DataType), `tensor_shape.proto`.
"""

from modelwarden.daemon.identify.reading import sstable
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.protobuf import Reader, length, varint
from modelwarden.daemon.identify.reading.source import Held
from modelwarden.daemon.identify.reading.tally import DIMENSIONS_LIMIT, Tally, weights_of

INDEX_LIMIT = 16 << 20
"""Bytes of an index that are asked for: ten thousand tensors take one MiB."""
DTYPE, SHAPE, SHARD, OFFSET, SIZE, SLICES = varint(1), length(2), varint(3), varint(4), varint(5), length(7)
SHARDS = varint(1)
DIMENSION, DIMENSION_SIZE = length(2), varint(1)
TYPES = {
    1: ("F32", 32), 2: ("F64", 64), 3: ("I32", 32), 4: ("U8", 8), 5: ("I16", 16), 6: ("I8", 8), 8: ("C64", 64),
    9: ("I64", 64), 10: ("BOOL", 8), 11: ("I8", 8), 12: ("U8", 8), 13: ("I32", 32), 14: ("BF16", 16), 15: ("I16", 16),
    16: ("U16", 16), 17: ("U16", 16), 18: ("C128", 128), 19: ("F16", 16), 22: ("U32", 32), 23: ("U64", 64),
    24: ("F8_E5M2", 8), 25: ("F8_E4M3", 8), 29: ("I4", 4), 30: ("U4", 4),
}  # fmt: skip
"""By number: the name in the census, the bits of an element. Strings, resources and variants are no weights."""
NO_WEIGHTS = (b"optimizer/", b"keras_api/metrics/", b"save_counter/", b"global_step")
"""How keys of the training's own tensors begin."""
SLOTS = (b"/Adam", b"/Adam_1", b"/adam_m", b"/adam_v", b"/Momentum")
SLOT = b"/.OPTIMIZER_SLOT/"


class Bundle:
    """What an index says of a checkpoint, or of one shard of it."""

    __slots__ = ("end", "shards", "tally")

    def __init__(self) -> None:
        self.tally = Tally()
        self.shards = 0
        self.end = 0
        """Bytes that the last tensor of the shard needs the file to have."""

    def read(self, index: bytes, shard: int | None = None) -> None:
        """Add up the tensors, of one shard (from 0) or of all; raises `Damaged` with the sums up to there."""
        reader = Reader(Held(index))
        for key, start, end in sstable.entries(index):
            if not key:
                self.shards = max((at for tag, at, _ in reader.fields(start, end) if tag == SHARDS), default=0)
            elif key[0]:  # a zero byte begins the key of a slice of a tensor that was counted as a whole
                self._entry(reader, key, (start, end), shard)

    def _entry(self, reader: Reader, key: bytes, place: tuple[int, int], shard: int | None) -> None:
        numbers: dict[int, int] = {}
        shape: list[int] = []
        for tag, start, end in reader.fields(*place):
            if tag == SHAPE:
                shape = _shape(reader, start, end)
            else:
                numbers[tag] = start
        if shard is not None and numbers.get(SHARD, 0) != shard:
            return
        size = numbers.get(SIZE, 0)
        self.end = max(self.end, numbers.get(OFFSET, 0) + size)
        kind = numbers.get(DTYPE, 0)
        if kind not in TYPES or key.startswith(NO_WEIGHTS) or key.endswith(SLOTS) or SLOT in key:
            return
        name, bits = TYPES[kind]
        weights = weights_of(shape)
        if SLICES not in numbers and weights * bits > size * 8 + 7:
            raise Damaged("a tensor is larger than the place that it has")
        self.tally.add(name, weights)


def _shape(reader: Reader, start: int, end: int) -> list[int]:
    shape = []
    for tag, first, last in reader.fields(start, end):
        if tag == DIMENSION:
            shape.append(max((at for inner, at, _ in reader.fields(first, last) if inner == DIMENSION_SIZE), default=0))
            if len(shape) > DIMENSIONS_LIMIT:
                raise Damaged(sstable.NO_TABLE)
    return shape
