"""TensorFlow Lite, which its maker calls LiteRT by now: the models of phones and small boards.

Source: `schema.fbs` of TensorFlow Lite (Model, SubGraph, Tensor, Buffer, TensorType), `metadata_schema.fbs`
(ModelMetadata).
"""

import re

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.attempt import trouble
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.flatbuffer import U8, U32, U64, FlatBuffer, Table
from modelwarden.daemon.identify.reading.tally import DIMENSIONS_LIMIT, Tally, weights_of
from modelwarden.daemon.identify.sniffer import Format, Identity, Window

SUBGRAPHS, DESCRIPTION, BUFFERS, METADATA = 2, 3, 4, 6
TENSORS, GRAPH_NAME = 0, 4
SHAPE, TYPE, BUFFER = 0, 1, 2
DATA, OUTSIDE_OFFSET, OUTSIDE_SIZE = 0, 1, 2
"""Of a Buffer: its bytes, or where they lie behind the FlatBuffer when the file is larger than 2 GiB."""
METADATA_NAME = b"TFLITE_METADATA"
TENSORS_LIMIT = 50_000
METADATA_LIMIT = 64
TYPES = {
    0: ("F32", 32), 1: ("F16", 16), 2: ("I32", 32), 3: ("U8", 8), 4: ("I64", 64), 6: ("BOOL", 8), 7: ("I16", 16),
    8: ("C64", 64), 9: ("I8", 8), 10: ("F64", 64), 11: ("C128", 128), 12: ("U64", 64), 15: ("U32", 32),
    16: ("U16", 16), 17: ("I4", 4), 18: ("BF16", 16), 19: ("I2", 2), 20: ("U4", 4), 21: ("F8_E4M3", 8),
    22: ("F8_E5M2", 8),
}  # fmt: skip
"""By number: the name in the census, the bits of an element. Strings, resources and variants are no weights."""
COMMON_NAMES = re.compile(r"(?:main|model|(?:mlir|toco) converted\.?)(?: *\[.*)?", re.IGNORECASE)
"""What converters call every model."""


class Model:
    """What the tables of one file say."""

    __slots__ = ("_seen", "license", "name", "tally", "window")

    def __init__(self, window: Window) -> None:
        self.window = window
        self.tally = Tally()
        self.name: str | None = None
        self.license: str | None = None
        self._seen: set[int] = set()

    def read(self, root: Table) -> None:
        """Walk over the tensors; raises `Damaged` with the sums up to there."""
        self.name = _name(root.text(DESCRIPTION, claims.TEXT_LIMIT))
        self._metadata(root)
        for graph in root.tables(SUBGRAPHS):
            self.name = self.name or _name(graph.text(GRAPH_NAME, claims.TEXT_LIMIT))
            for tensor in graph.tables(TENSORS):
                number = tensor.number(BUFFER, U32)
                # Buffer 0 is empty by definition; weights that several tensors share count once.
                if number and number not in self._seen:
                    self._tensor(tensor, root.table_at(BUFFERS, number))
                    self._seen.add(number)
                if len(self._seen) > TENSORS_LIMIT:
                    raise Damaged("it has more tensors than an inspection reads")

    def _tensor(self, tensor: Table, buffer: Table | None) -> None:
        if buffer is None:
            raise Damaged("a tensor refers to a buffer that is not there")
        kind = tensor.number(TYPE, U8)
        has = buffer.number(OUTSIDE_SIZE, U64) or buffer.vector(DATA, 1)[1]
        if not has:
            return  # computed when the model runs
        end = buffer.number(OUTSIDE_OFFSET, U64) + has
        if end > self.window.size:
            raise Damaged(claims.cut_short(self.window.size, end))
        if kind not in TYPES:
            return
        name, bits = TYPES[kind]
        weights = weights_of(tensor.numbers(SHAPE, U32, DIMENSIONS_LIMIT))
        if weights * bits > has * 8 + 7:
            raise Damaged("a tensor is larger than the place that it has")
        self.tally.add(name, weights)

    def _metadata(self, root: Table) -> None:
        """Name and licence from the metadata that a publisher may add: a FlatBuffer of its own in one buffer."""
        for count, entry in enumerate(root.tables(METADATA)):
            if count == METADATA_LIMIT:
                return
            if entry.text(0, 32) == METADATA_NAME:
                buffer = root.table_at(BUFFERS, entry.number(1, U32))
                at, has = buffer.vector(DATA, 1) if buffer else (0, 0)
                if has > 8:
                    metadata = FlatBuffer(self.window, 100, base=at).root()
                    self.name = claims.text(metadata.text(0, claims.TEXT_LIMIT)) or self.name
                    self.license = claims.text(metadata.text(5, claims.TEXT_LIMIT))
                return


class TfLite:
    """The TensorFlow Lite format."""

    name = "tflite"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the identifier of the schema behind the offset of the first table."""
        return head[4:8] == b"TFL3" and size > 8

    def identify(self, window: Window) -> Identity | None:
        """The identity from the tables, as far as they can be read; `None` without a first one."""
        try:
            root = FlatBuffer(window).root()
        except Damaged:  # writers put it right behind the identifier
            return None
        model = Model(window)
        problem = trouble(lambda: model.read(root))
        tally = model.tally
        return Identity(
            self.name,
            name=model.name,
            parameters=(tally.parameters or None) if problem is None else None,
            quantization=tally.dominant,
            license=model.license,
            problem=problem,
            tensor_types=tally.tensor_types,
        )


def _name(description: bytes) -> str | None:
    name = claims.text(description)
    return None if name is None or COMMON_NAMES.fullmatch(name) else name


FORMAT: Format = TfLite()
