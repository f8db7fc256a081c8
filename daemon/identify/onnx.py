"""ONNX, the exchange format that ONNX Runtime, OpenVINO and many converters take.

Source: `onnx/onnx.proto` (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto). A file has no magic: what
tells it from other protocol buffers is that its fields have the numbers and types of a model, with a graph of nodes.
"""

import re

from modelwarden.daemon.identify.reading import claims, transformers_config
from modelwarden.daemon.identify.reading.attempt import trouble
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.onnx_terms import (
    ARCHITECTURES,
    LICENSES,
    METADATA_LIMIT,
    NAMES,
    STRING,
    TYPES,
)
from modelwarden.daemon.identify.reading.protobuf import DEPTH_LIMIT, TOO_DEEP, Reader, length, varint
from modelwarden.daemon.identify.reading.tally import DIMENSIONS_LIMIT, Tally, weights_of
from modelwarden.daemon.identify.sniffer import Format, Identity, Window

IR_VERSION, GRAPH, OPSET_IMPORT, METADATA, FUNCTIONS = varint(1), length(7), length(8), length(14), length(25)
IR_VERSION_LIMIT = 64
"""There are 13 versions after nine years."""
STRINGS_AND_MESSAGES = (2, 3, 4, 6, 7, 8, 14, 20, 25, 26)
NODE, GRAPH_NAME, INITIALIZER, SPARSE_INITIALIZER = length(1), length(2), length(5), length(15)
OP_TYPE, ATTRIBUTE = length(4), length(5)
FUNCTION_NODE = length(7)
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = length(5), length(6), length(10), length(11)
SPARSE_VALUES = length(1)
DIMS, DIMS_PACKED, DATA_TYPE, RAW_DATA, LOCATION = varint(1), length(1), varint(2), length(9), varint(14)
TYPED_DATA = frozenset(map(length, (4, 5, 6, 7, 10, 11)))
EXTERNAL = 1
NODE_BYTES, ATTRIBUTE_BYTES = 512, 256
"""Shorter nodes, and shorter attributes of longer ones, are not looked into: they hold shapes and scalars."""
OPERATOR = re.compile(rb"[A-Za-z_][\w.:/-]{0,100}")
DENSEST = 4
"""Elements that a byte of typed data holds at most."""
COMMON_NAMES = frozenset(
    ("", "graph", "main", "main_graph", "model", "spox_graph", "tf2onnx", "torch-jit-export", "torch_jit", "onnxmodel")
)
"""What exporters call every graph; digests are no names either."""
DIGEST = re.compile(r"[0-9a-f]{32,64}")


class Model:
    """What the fields of one file say."""

    __slots__ = ("graphs", "ir_version", "metadata", "metadata_left", "name", "operators", "opsets", "reader", "tally")

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.tally = Tally()
        self.ir_version = 0
        self.graphs = self.operators = self.opsets = 0
        self.name: str | None = None
        self.metadata: dict[str, bytes] = {}
        self.metadata_left = METADATA_LIMIT

    @property
    def is_one(self) -> bool:
        """Whether what was read can be nothing else than a model."""
        return 0 < self.ir_version <= IR_VERSION_LIMIT and self.graphs > 0 and self.operators + self.opsets > 0

    def read(self) -> None:
        """Walk over the whole file; raises `Damaged` with the sums up to there."""
        for tag, start, end in self.reader.fields(0, self.reader.size):
            if tag >> 3 in STRINGS_AND_MESSAGES and tag & 7 != 2:
                self.ir_version = 0
                raise Damaged("a field has another type than in a model")
            if tag == IR_VERSION:
                self.ir_version = start
            elif tag == GRAPH:
                self.graphs += 1
                self._graph(start, end, 0)
            elif tag == OPSET_IMPORT:
                self.opsets += 1
            elif tag == METADATA:
                self._entry(start, end)
            elif tag == FUNCTIONS:
                for inner, first, last in self.reader.fields(start, end):
                    if inner == FUNCTION_NODE and last - first >= NODE_BYTES:
                        self._node(first, last, 0)

    def claim(self, keys: tuple[str, ...]) -> str | None:
        """The first of `keys` for which the metadata says something."""
        return next((text for key in keys if (text := claims.text(self.metadata.get(key)))), None)

    def _graph(self, start: int, end: int, depth: int) -> None:
        if depth > DEPTH_LIMIT:
            raise Damaged(TOO_DEEP)
        for tag, first, last in self.reader.fields(start, end):
            if tag == NODE:
                if not self.operators:
                    self._first_node(first, last)
                if last - first >= NODE_BYTES:
                    self._node(first, last, depth)
            elif tag == INITIALIZER:
                self._tensor(first, last)
            elif tag == SPARSE_INITIALIZER:
                self._sparse(first, last)
            elif tag == GRAPH_NAME and depth == 0:
                self.name = claims.text(self.reader.data(first, last, claims.TEXT_LIMIT))

    def _first_node(self, start: int, end: int) -> None:
        """Other protocol buffers end here: they have no operator in this place."""
        for tag, first, last in self.reader.fields(start, end):
            if tag & 7 != 2:
                raise Damaged("its graph has no nodes of a model")
            if tag == OP_TYPE:
                if not OPERATOR.fullmatch(self.reader.data(first, last, 200)):
                    raise Damaged("its graph has no nodes of a model")
                self.operators += 1
                return

    def _node(self, start: int, end: int, depth: int) -> None:
        for tag, first, last in self.reader.fields(start, end):
            if tag != ATTRIBUTE or last - first < ATTRIBUTE_BYTES:
                continue
            for inner, at, stop in self.reader.fields(first, last):
                if inner in {ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS}:
                    self._tensor(at, stop)
                elif inner in {ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS}:
                    self._graph(at, stop, depth + 1)
                elif inner & 7 != 2:
                    break  # a list of numbers: as many fields as numbers, none of them a tensor

    def _sparse(self, start: int, end: int) -> None:
        for tag, first, last in self.reader.fields(start, end):
            if tag == SPARSE_VALUES:  # the indices are no weights
                self._tensor(first, last)

    def _tensor(self, start: int, end: int) -> None:
        weights = 1
        kind = location = raw = typed = 0
        for tag, first, last in self.reader.fields(start, end):
            if tag == DIMS:
                weights = weights_of((weights, first))
            elif tag == DATA_TYPE:
                kind = first
            elif tag == RAW_DATA:
                raw = last - first
            elif tag == LOCATION:
                location = first
            elif tag in TYPED_DATA:
                typed += last - first
            elif tag == DIMS_PACKED:
                weights = weights_of((weights, *self.reader.numbers(first, last, DIMENSIONS_LIMIT - 1)))
        if kind == STRING:
            return
        name, bits = TYPES.get(kind, (f"type {kind}", 0))
        if location != EXTERNAL and weights * bits > raw * 8 and weights > typed * DENSEST:
            raise Damaged("a tensor is larger than the place that it has")
        self.tally.add(name, weights)

    def _entry(self, start: int, end: int) -> None:
        self.metadata_left -= 1
        if self.metadata_left < 0:
            return
        found = {tag: self.reader.data(first, last, 800) for tag, first, last in self.reader.fields(start, end)}
        key = found.get(length(1), b"").decode("ascii", "replace").lower()
        self.metadata.setdefault(key, found.get(length(2), b""))


class Onnx:
    """The ONNX format."""

    name = "onnx"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the version that every writer puts first; the rest is for `identify`."""
        return min(size, len(head)) > 16 and head[0] == 8 and 0 < head[1] <= IR_VERSION_LIMIT

    def identify(self, window: Window) -> Identity | None:
        """The identity from the fields, `None` for any other protocol buffer."""
        model = Model(Reader(window))
        problem = trouble(model.read)
        if not model.is_one or (problem is None and not model.opsets):
            return None
        tally = model.tally
        config = transformers_config.read(window.beside) or transformers_config.Config()
        return Identity(
            self.name,
            name=model.claim(NAMES) or config.name or _name(model.name),
            architecture=model.claim(ARCHITECTURES) or config.architecture,
            parameters=(tally.parameters or None) if problem is None else None,
            quantization=tally.dominant,
            license=model.claim(LICENSES),
            problem=problem,
            tensor_types=tally.tensor_types,
        )


def _name(name: str | None) -> str | None:
    return None if name is None or name.lower() in COMMON_NAMES or DIGEST.fullmatch(name) else name


FORMAT: Format = Onnx()
