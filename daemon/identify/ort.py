"""ORT, the format into which ONNX Runtime converts ONNX models for small devices.

Source: `onnxruntime/core/flatbuffers/schema/ort.fbs` (InferenceSession, Model, Graph, Node, Attribute, Tensor).
"""

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.attempt import trouble
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.flatbuffer import I32, I64, FlatBuffer, Table
from modelwarden.daemon.identify.reading.onnx_terms import (
    ARCHITECTURES,
    LICENSES,
    METADATA_LIMIT,
    NAMES,
    STRING,
    TYPES,
)
from modelwarden.daemon.identify.reading.tally import DIMENSIONS_LIMIT, Tally, weights_of
from modelwarden.daemon.identify.sniffer import Format, Identity, Window

MODEL = 1
GRAPH, METADATA = 7, 9
INITIALIZERS, NODES, SPARSE_INITIALIZERS = 0, 2, 7
ATTRIBUTES = 10
ATTRIBUTE_TYPE, ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS = 2, 7, 12
IS_GRAPH, IS_GRAPHS = 5, 10
DIMS, DATA_TYPE, RAW_DATA, OUTSIDE = 2, 3, 4, 6
DEPTH_LIMIT = 16


class Model:
    """What the tables of one file say."""

    __slots__ = ("metadata", "tally")

    def __init__(self) -> None:
        self.tally = Tally()
        self.metadata: dict[str, bytes] = {}

    def read(self, session: Table) -> None:
        """Walk over the graphs; raises `Damaged` with the sums up to there."""
        model = session.table(MODEL)
        if model is None:
            raise Damaged("there is no model in it")
        for count, entry in enumerate(model.tables(METADATA)):
            if count == METADATA_LIMIT:
                break
            key = entry.text(0, 64).decode("ascii", "replace").lower()
            self.metadata.setdefault(key, entry.text(1, claims.TEXT_LIMIT))
        graph = model.table(GRAPH)
        if graph is not None:
            self._graph(graph, 0)

    def claim(self, keys: tuple[str, ...]) -> str | None:
        """The first of `keys` for which the metadata says something."""
        return next((text for key in keys if (text := claims.text(self.metadata.get(key)))), None)

    def _graph(self, graph: Table, depth: int) -> None:
        if depth > DEPTH_LIMIT:
            raise Damaged("it is nested deeper than any model")
        for tensor in graph.tables(INITIALIZERS):
            self._tensor(tensor)
        for sparse in graph.tables(SPARSE_INITIALIZERS):
            values = sparse.table(0)
            if values is not None:
                self._tensor(values)
        for node in graph.tables(NODES):
            for attribute in node.tables(ATTRIBUTES):
                self._attribute(attribute, depth)

    def _attribute(self, attribute: Table, depth: int) -> None:
        kind = attribute.number(ATTRIBUTE_TYPE, I32)
        if kind == IS_GRAPH:
            graph = attribute.table(ATTRIBUTE_GRAPH)
            if graph is not None:
                self._graph(graph, depth + 1)
        elif kind == IS_GRAPHS:
            for graph in attribute.tables(ATTRIBUTE_GRAPHS):
                self._graph(graph, depth + 1)

    def _tensor(self, tensor: Table) -> None:
        kind = tensor.number(DATA_TYPE, I32)
        if kind == STRING:
            return
        name, bits = TYPES.get(kind, (f"type {kind}", 0))
        weights = weights_of(tensor.numbers(DIMS, I64, DIMENSIONS_LIMIT))
        if tensor.number(OUTSIDE, I64, -1) < 0 and weights * bits > tensor.vector(RAW_DATA, 1)[1] * 8 + 7:
            raise Damaged("a tensor is larger than the place that it has")
        self.tally.add(name, weights)


class Ort:
    """The ORT format."""

    name = "ort"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the identifier of the schema behind the offset of the first table."""
        return head[4:8] == b"ORTM" and size > 8

    def identify(self, window: Window) -> Identity | None:
        """The identity from the tables, as far as they can be read; `None` without a first one."""
        try:
            root = FlatBuffer(window).root()
        except Damaged:  # writers put it right behind the identifier
            return None
        model = Model()
        problem = trouble(lambda: model.read(root))
        tally = model.tally
        return Identity(
            self.name,
            name=model.claim(NAMES),
            architecture=model.claim(ARCHITECTURES),
            parameters=(tally.parameters or None) if problem is None else None,
            quantization=tally.dominant,
            license=model.claim(LICENSES),
            problem=problem,
            tensor_types=tally.tensor_types,
        )


FORMAT: Format = Ort()
