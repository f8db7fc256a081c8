"""TensorFlow's SavedModel and its checkpoints, whose weights lie in files without any mark of their own.

Source: `saved_model.proto`, `meta_graph.proto`, `saved_object_graph.proto` of TensorFlow, `saved_metadata.proto` of
Keras; `tensor_bundle.cc` for the names `<stem>.index` and `<stem>.data-00000-of-00001`.
"""

import re

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.folder import Folder
from modelwarden.daemon.identify.reading.magicless import runs_code
from modelwarden.daemon.identify.reading.protobuf import Reader, length, varint
from modelwarden.daemon.identify.reading.source import Held
from modelwarden.daemon.identify.reading.tensor_bundle import INDEX_LIMIT, Bundle
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Shard, Window

SCHEMA_VERSION, META_GRAPH = varint(1), length(2)
META_INFO, GRAPH_DEF, OBJECTS = length(1), length(2), length(7)
META_GRAPH_TAGS = frozenset(map(length, range(1, 8)))
TENSORFLOW_VERSION = length(5)
OBJECT, USER_OBJECT, USER_METADATA = length(1), length(4), length(3)
KERAS_NODE, KERAS_METADATA = length(1), length(5)
OBJECTS_LIMIT = 3
"""The root is the first object, or close to it."""
VERSION = re.compile(rb"\d{1,3}\.\d{1,4}[\w.+-]{0,60}")
DATA = re.compile(r"(.{1,200})\.data-(\d{5})-of-(\d{5})")
CLASS, NAME = re.compile(rb'"class_name": ?"([^"\\]{1,200})"'), re.compile(rb'"name": ?"([^"\\]{1,200})"')
COMMON_NAMES = re.compile(r"(?:model|sequential|functional)(?:_\d+)?")
METADATA_BYTES = 2048
"""Class and name stand at the start of what Keras writes of a model; its layers follow."""


class Model:
    """What the fields of a `saved_model.pb` say."""

    __slots__ = ("has_version", "keras", "meta_graphs", "reader", "schema")

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.schema = 0
        self.meta_graphs = 0
        self.has_version = False
        self.keras = b""

    def read(self) -> bool:
        """Walk over the file: false when it is another protocol buffer. Raises `Damaged`."""
        for tag, start, end in self.reader.fields(0, self.reader.size):
            if tag == SCHEMA_VERSION:
                self.schema = start
            elif tag != META_GRAPH or not self._meta_graph(start, end):
                return False
        return self.schema == 1 and self.meta_graphs > 0

    def _meta_graph(self, start: int, end: int) -> bool:
        for tag, first, last in self.reader.fields(start, end):
            if tag not in META_GRAPH_TAGS:
                return False
            if tag == META_INFO:
                for inner, at, stop in self.reader.fields(first, last):
                    if inner == TENSORFLOW_VERSION and VERSION.fullmatch(self.reader.data(at, stop, 70)):
                        self.has_version = True
            elif tag == GRAPH_DEF:
                self.meta_graphs += 1
            elif tag == OBJECTS and not self.keras:
                self._objects(first, last)
        return True

    def _objects(self, start: int, end: int) -> None:
        for count, (tag, first, last) in enumerate(self.reader.fields(start, end)):
            if count == OBJECTS_LIMIT or self.keras:
                return
            if tag == OBJECT:
                for inner, at, stop in self.reader.fields(first, last):
                    if inner == USER_OBJECT:
                        self._user_object(at, stop)

    def _user_object(self, start: int, end: int) -> None:
        for tag, first, last in self.reader.fields(start, end):
            if tag == USER_METADATA:
                self.keras = self.reader.data(first, last, METADATA_BYTES)


class SavedModel:
    """The SavedModel format, with the checkpoints of which it has one inside."""

    name = "tensorflow-savedmodel"

    def recognises(self, head: bytes, size: int) -> bool:
        """By what nothing forbids: the weights are bare numbers, so that the name has to tell."""
        return size > 16 and not runs_code(head)

    def identify(self, window: Window) -> Identity | None:
        """The identity of a graph with its variables, or of a file of weights with its index."""
        data = DATA.fullmatch(window.name)
        if data is not None:
            return _weights(window, data[1], Shard(int(data[2]) + 1, int(data[3])))
        return _graph(window) if window.read(0, 3) == b"\x08\x01\x12" else None


def _graph(window: Window) -> Identity | None:
    model = Model(Reader(window))
    problem = None
    try:
        if not model.read():
            return None
    except Damaged as damage:
        problem = str(damage)
    except BudgetSpentError:
        problem = "it is larger than an inspection reads"
    if not model.has_version and window.name != "saved_model.pb":
        return None
    keras = model.keras or _keras_beside(window.beside)
    bundle, damaged = Bundle(), None
    index = window.beside.read("variables/variables.index", INDEX_LIMIT)
    try:
        if index is not None:
            bundle.read(index)
    except Damaged as damage:
        damaged = str(damage)
    tally = bundle.tally
    name = _claim(NAME, keras)
    return Identity(
        SavedModel.name,
        name=None if name is None or COMMON_NAMES.fullmatch(name) else name,
        architecture=_claim(CLASS, keras),
        parameters=None if damaged else tally.parameters or None,
        quantization=tally.dominant,
        problem=problem or damaged,
        tensor_types=tally.tensor_types,
    )


def _weights(window: Window, stem: str, shard: Shard) -> Identity | None:
    index = window.beside.read(f"{stem}.index", INDEX_LIMIT)
    if index is None or not 1 <= shard.index <= shard.count:
        return None
    bundle, problem = Bundle(), None
    try:
        bundle.read(index, shard.index - 1)
        if bundle.end > window.size:
            problem = claims.cut_short(window.size, bundle.end)
    except Damaged as damage:
        if not bundle.shards:
            return None  # the neighbour is an index of something else
        problem = str(damage)
    tally = bundle.tally
    is_inside = stem == "variables"
    return Identity(
        SavedModel.name if is_inside else "tensorflow-checkpoint",
        name=None if is_inside else claims.text(stem),
        parameters=tally.parameters or None,
        quantization=tally.dominant,
        problem=problem,
        tensor_types=tally.tensor_types,
        shard=shard if shard.count > 1 else None,
    )


def _keras_beside(beside: Folder) -> bytes:
    """What Keras says of the model in the file that it wrote beside it from TensorFlow 2.5 to 2.15."""
    data = beside.read("keras_metadata.pb")
    reader = Reader(Held(data or b""), 100)
    try:
        for tag, start, end in reader.fields(0, reader.size):
            for inner, first, last in reader.fields(start, end if tag == KERAS_NODE else start):
                if inner == KERAS_METADATA:
                    return reader.data(first, last, METADATA_BYTES)
    except Damaged:
        pass
    return b""


def _claim(pattern: re.Pattern[bytes], keras: bytes) -> str | None:
    found = pattern.search(keras)
    return claims.text(found[1]) if found else None


FORMAT: Format = SavedModel()
