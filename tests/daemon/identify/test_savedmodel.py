"""TensorFlow's SavedModel and checkpoints: graph and weights are files apart, each known by what is beside it."""

import json
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.encodings import message, number, varint
from tests.limits import within_limits
from tests.models import Memory, Shelf, mutations
from tests.real_models import real_model

from modelwarden.daemon.identify.reading import sstable
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.savedmodel import FORMAT
from modelwarden.daemon.identify.sniffer import Identity, Shard

FOLDER = "basic_pitch/saved_models/icassp_2022/nmp"
INDEX, DATA = "variables/variables.index", "variables.data-00000-of-00001"
GRAPH = message(2, message(1, message(1, b"x"), message(2, b"Placeholder")))
INFO = message(1, message(4, b"serve"), message(5, b"2.16.1"))
KERAS = {"class_name": "Functional", "name": "resnet50", "trainable": True}


def identify(data: bytes, name: str = "", beside: dict[str, bytes] | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name, beside=Shelf(beside))
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def saved_model(*, info: bytes = INFO, keras: dict[str, object] | None = None, rest: bytes = b"") -> bytes:
    """A graph with one node, and what Keras says of it."""
    said = message(3, json.dumps(keras).encode()) if keras else b""
    objects = message(7, message(1, message(4, message(1, b"_tf_keras_network"), said)))
    return varint(1, 1) + message(2, info, GRAPH, objects) + rest


def entry(kind: int, shape: tuple[int, ...], size: int, *, shard: int = 0, offset: int = 0, rest: bytes = b"") -> bytes:
    """What an index says of a tensor."""
    dimensions = message(2, *(message(2, varint(1, side)) for side in shape))
    return varint(1, kind) + dimensions + varint(3, shard) + varint(4, offset) + varint(5, size) + rest


def block(entries: dict[bytes, bytes]) -> bytes:
    """A block of a table, each key written out."""
    rows = (number(0) + number(len(key)) + number(len(value)) + key + value for key, value in entries.items())
    return b"".join(rows) + pack("<II", 0, 1)


def index(entries: dict[bytes, bytes], shards: int = 1) -> bytes:
    """An index of one block."""
    data = block({b"": varint(1, shards), **entries})
    blocks = block({b"~": number(0) + number(len(data))})
    start = len(data) + 5
    footer = number(0) + number(0) + number(start) + number(len(blocks))
    return data + bytes(5) + blocks + bytes(5) + footer.ljust(40, b"\0") + sstable.MAGIC


USUAL = index(
    {
        b"layer/kernel/.ATTRIBUTES/VARIABLE_VALUE": entry(1, (10, 20), 800),
        b"layer/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE": entry(1, (10, 20), 800),
        b"lut": entry(19, (7,), 14, offset=800),
        b"optimizer/iter/.ATTRIBUTES/VARIABLE_VALUE": entry(9, (), 8),
        b"save_counter/.ATTRIBUTES/VARIABLE_VALUE": entry(9, (), 8),
        b"words": entry(7, (100,), 300),
    }
)
TYPES = (("F32", 200), ("F16", 7))


def test_says_what_a_model_is() -> None:
    """Class and name are Keras's, the weights are those of the index; what only training needs is none."""
    assert identify(saved_model(keras=KERAS), "saved_model.pb", {INDEX: USUAL}) == Identity(
        "tensorflow-savedmodel", "resnet50", "Functional", 207, "F32", tensor_types=TYPES
    )


def test_keras_may_have_a_file_of_its_own() -> None:
    """From TensorFlow 2.5 on its words lie beside the graph."""
    said = {"name": "model_3", "trainable": True, "class_name": "Sequential"}
    metadata = message(1, varint(2, 0), message(3, b"root"), message(5, json.dumps(said).encode()))
    identity = identify(saved_model(), "saved_model.pb", {"keras_metadata.pb": metadata})
    assert identity == Identity("tensorflow-savedmodel", None, "Sequential")


@pytest.mark.parametrize(("name", "info"), [("saved_model.pb", b""), ("blob", INFO)])
def test_name_or_version_tell(name: str, info: bytes) -> None:
    """A graph that says the version of TensorFlow needs no name, and the other way round."""
    assert identify(saved_model(info=info), name) == Identity("tensorflow-savedmodel")


def test_reads_a_real_model() -> None:
    """Of TensorFlow 2.4, with the words of Keras inside."""
    beside = {INDEX: real_model("basic_pitch", f"{FOLDER}/{INDEX}")}
    assert identify(real_model("basic_pitch", f"{FOLDER}/saved_model.pb"), "saved_model.pb", beside) == Identity(
        "tensorflow-savedmodel", None, "Functional", 16_864, "F32", tensor_types=(("F32", 16_864),)
    )


def test_reads_real_weights() -> None:
    """The file that is large, and that has no mark at all."""
    beside = {"variables.index": real_model("basic_pitch", f"{FOLDER}/{INDEX}")}
    data = real_model("basic_pitch", f"{FOLDER}/variables/{DATA}")
    whole = Identity("tensorflow-savedmodel", None, None, 16_864, "F32", tensor_types=(("F32", 16_864),))
    assert identify(data, DATA, beside) == whole
    cut = identify(data[:-1], DATA, beside)
    assert cut is not None
    assert "cut short" in (cut.problem or "")


def test_shards_count_their_own() -> None:
    """Of a checkpoint in two files each has the weights that the index says."""
    beside = {"bert.ckpt.index": index({b"a": entry(1, (5,), 20), b"b": entry(1, (7,), 28, shard=1)}, 2)}
    for number_, weights in ((0, 5), (1, 7)):
        identity = identify(bytes(100), f"bert.ckpt.data-0000{number_}-of-00002", beside)
        assert identity == Identity(
            "tensorflow-checkpoint",
            "bert.ckpt",
            parameters=weights,
            quantization="F32",
            tensor_types=(("F32", weights),),
            shard=Shard(number_ + 1, 2),
        )


def test_slices_count_once() -> None:
    """A tensor that is stored in slices is described as a whole too."""
    beside = {"m.index": index({b"\0\1part": entry(1, (5,), 20), b"whole": entry(1, (50,), 0, rest=message(7, b""))})}
    identity = identify(bytes(100), "m.data-00000-of-00001", beside)
    assert identity is not None
    assert (identity.parameters, identity.problem) == (50, None)


def test_compressed_keys_are_read() -> None:
    """Keys share their beginning with the one before."""
    rows = number(0) + number(6) + number(1) + b"layer/" + b"1" + number(5) + number(2) + number(1) + b"-x" + b"2"
    data = rows + pack("<II", 0, 1)
    blocks = block({b"~": number(0) + number(len(data))})
    footer = number(0) + number(0) + number(len(data) + 5) + number(len(blocks))
    table = data + bytes(5) + blocks + bytes(5) + footer.ljust(40, b"\0") + sstable.MAGIC
    assert [(key, table[start:end]) for key, start, end in sstable.entries(table)] == [
        (b"layer/", b"1"),
        (b"layer-x", b"2"),
    ]


OTHERS = {
    "no graph": varint(1, 1) + message(2, INFO),
    "another schema": varint(1, 2) + message(2, INFO, GRAPH),
    "no version and no name": saved_model(info=b""),
    "another field": saved_model(rest=message(3, b"abc")),
    "another field inside": varint(1, 1) + message(2, INFO, GRAPH, message(10, b"abc")),
    "a number inside": varint(1, 1) + message(2, INFO, GRAPH, varint(3, 1)),
    "text": varint(1, 1) + message(2, b"hello world, this is no message"),
    "zeros": b"\x08\x01\x12" + bytes(100),
}


@pytest.mark.parametrize("what", OTHERS)
def test_leaves_other_protocol_buffers_alone(what: str) -> None:
    """Only what has the fields of a model is one."""
    assert identify(OTHERS[what]) is None


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        (DATA, {}),
        (DATA, {"variables.index": b"no table"}),
        ("variables.data", {"variables.index": USUAL}),
        ("variables.data-00001-of-00001", {"variables.index": USUAL}),
        ("data-00000-of-00001", {"index": USUAL, ".index": USUAL}),
    ],
)
def test_weights_without_their_index_are_nothing(name: str, beside: dict[str, bytes]) -> None:
    """A name alone makes no model."""
    assert identify(bytes(1000), name, beside) is None


@pytest.mark.parametrize("head", [b"PK\3\4", b"\x80\2}", b"\x80\4\x95"])
def test_hides_nothing_that_runs_code(head: bytes) -> None:
    """An index beside a pickle or a zip archive does not make it bare numbers."""
    assert identify(head + bytes(1000), DATA, {"variables.index": USUAL}) is None


def test_survives_every_cut() -> None:
    """A download that stopped is a model with a problem, when its name says what it should be."""
    data = saved_model(keras=KERAS)
    for end in range(17, len(data)):
        identity = identify(data[:end], "saved_model.pb")
        assert identity is not None, end
        assert identity.problem is not None, end


@pytest.mark.parametrize(
    "lie",
    [
        entry(1, (2**60,), 800),
        entry(1, (2**40, 2**40), 800),
        entry(1, (1,) * 100, 800),
        entry(1, (201,), 800),
        entry(1, (2**64 - 1,), 800),
    ],
)
def test_believes_no_shape_without_a_place(lie: bytes) -> None:
    """A tensor has no more weights than its bytes have room for."""
    identity = identify(saved_model(), "saved_model.pb", {INDEX: index({b"w": lie})})
    assert identity is not None
    assert (identity.parameters, identity.problem is None) == (None, False)


def test_floods_end() -> None:
    """Tables and graphs without end are given up."""
    many = index({b"%07d" % at: b"" for at in range(300_000)})
    within_limits(lambda: identify(saved_model(), "saved_model.pb", {INDEX: many}))
    empty = pack("<I", 0) + bytes(5)
    blocks = block({b"%06d" % at: b"\0\4" for at in range(300_000)})
    footer = number(0) + number(0) + number(len(empty)) + number(len(blocks))
    within_limits(
        lambda: identify(
            saved_model(),
            "saved_model.pb",
            {INDEX: empty + blocks + bytes(5) + footer.ljust(40, b"\0") + sstable.MAGIC},
        )
    )
    within_limits(lambda: identify(saved_model(rest=message(2, INFO, GRAPH) * 100_000), "saved_model.pb"))
    within_limits(lambda: identify(varint(1, 1) + message(2, INFO, message(2, claim=2**60)), "saved_model.pb"))
    within_limits(lambda: identify(saved_model(), "", {"keras_metadata.pb": message(1) * 400_000}))


@settings(max_examples=200, deadline=3000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identify(data.draw(mutations(saved_model(keras=KERAS))), "saved_model.pb", {INDEX: USUAL})


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations_of_an_index(data: st.DataObject) -> None:
    """Also of the neighbour, which is as hostile as the file."""
    damaged = data.draw(mutations(USUAL))
    identify(bytes(1000), DATA, {"variables.index": damaged})
    try:
        for _ in sstable.entries(damaged):
            pass
    except Damaged:
        pass
