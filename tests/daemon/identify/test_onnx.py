"""ONNX models: real files give their identity, hostile ones a problem, other protocol buffers nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tests.encodings import message, number, varint
from tests.limits import within_limits
from tests.models import Memory, Shelf, mutations
from tests.real_models import real_model

from modelwarden.daemon.identify.onnx import FORMAT
from modelwarden.daemon.identify.sniffer import Identity

NODE = message(1, message(1, b"x"), message(2, b"y"), message(4, b"Relu"))
OPSET = message(8, varint(2, 21))


def identify(data: bytes, *, size: int | None = None, budget: int = 96 << 20) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size, budget=budget)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def model(
    weights: Sequence[TensorProto] = (), nodes: Sequence[onnx.NodeProto] = (), name: str = "tiny", **metadata: str
) -> onnx.ModelProto:
    """A model by the library, with a `Relu` in front."""
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"]), *nodes],
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        initializer=list(weights),
    )
    made = helper.make_model(graph)
    helper.set_model_props(made, metadata)
    return made


def tensor(shape: tuple[int, ...], kind: type = numpy.float32, name: str = "w") -> TensorProto:
    """Zeros."""
    return numpy_helper.from_array(numpy.zeros(shape, kind), name)


@pytest.fixture(scope="module")
def valid() -> bytes:
    """A small real model with an initializer, a constant and a graph in a graph."""
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "inner", [], [], initializer=[tensor((90, 3))])
    nodes = [
        helper.make_node("Constant", [], ["c"], value=tensor((300,), numpy.float16)),
        helper.make_node("If", ["x"], ["z"], then_branch=inner, else_branch=inner),
    ]
    return model([tensor((40, 10))], nodes, license="mit").SerializeToString()


def test_adds_up_initializers_constants_and_inner_graphs(valid: bytes) -> None:
    """Weights count wherever a graph keeps them."""
    assert identify(valid) == Identity(
        "onnx", "tiny", None, 1240, "F32", "mit", tensor_types=(("F32", 940), ("F16", 300))
    )


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("FLOAT16", "F16"), ("BFLOAT16", "BF16"), ("INT8", "I8"), ("UINT4", "U4"), ("FLOAT8E4M3FN", "F8_E4M3")],
)
def test_tells_how_weights_are_stored(kind: str, shown: str) -> None:
    """Each type has its name."""
    made = helper.make_tensor("w", TensorProto.DataType.Value(kind), [4, 4], [0] * 16)
    identity = identify(model([made]).SerializeToString())
    assert identity is not None
    assert (identity.quantization, identity.parameters, identity.problem) == (shown, 16, None)


def test_weights_in_another_file_count(tmp_path: Path) -> None:
    """The shape is in the model, wherever the numbers are."""
    path = tmp_path / "m.onnx"
    onnx.save(model([tensor((300, 200))]), path, save_as_external_data=True, location="m.data", convert_attribute=True)
    assert (tmp_path / "m.data").stat().st_size >= 240_000
    assert identify(path.read_bytes()) == Identity("onnx", "tiny", None, 60_000, "F32", tensor_types=(("F32", 60_000),))


def test_metadata_names_the_model() -> None:
    """What a publisher says goes before the graph's name, and exporters' names are none."""
    named = identify(model(name="main_graph", model_name="Detector", model_type="yolo").SerializeToString())
    assert named is not None
    assert (named.name, named.architecture) == ("Detector", "yolo")
    nameless = identify(model(name="main_graph").SerializeToString())
    assert nameless is not None
    assert nameless.name is None


def test_configuration_beside_names_the_model() -> None:
    """What transformers exports has its configuration in the same folder."""
    config = b'{"architectures": ["BertModel"], "_name_or_path": "dana/tiny-bert"}'
    window = Memory(model(name="main_graph").SerializeToString(), beside=Shelf({"config.json": config}))
    identity = FORMAT.identify(window)
    assert identity is not None
    assert (identity.name, identity.architecture) == ("dana/tiny-bert", "BertModel")


def test_counts_sparse_weights() -> None:
    """The values of a sparse tensor are weights, its indices are not."""
    made = model()
    values, indices = tensor((5,)), tensor((5,), numpy.int64)
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [1000]))
    identity = identify(made.SerializeToString())
    assert identity is not None
    assert identity.parameters == 5


@pytest.mark.parametrize(
    ("package", "member", "parameters", "kind"),
    [
        ("basic_pitch", "basic_pitch/saved_models/icassp_2022/nmp.onnx", 36_037, "F32"),
        ("magika", "magika/models/standard_v3_3/model.onnx", 784_519, "F32"),
        ("silero_vad", "silero_vad/data/silero_vad.onnx", 545_024, "F32"),  # all of it in graphs within an If
        ("silero_vad", "silero_vad/data/silero_vad_half.onnx", 309_633, "F32"),
        ("silero_vad", "silero_vad/data/silero_vad_op18_ifless.onnx", 545_689, "F32"),
        ("silero_vad", "silero_vad/data/silero_vad_openvino_16k.onnx", 309_504, "F32"),
    ],
)
def test_reads_real_models(package: str, member: str, parameters: int, kind: str) -> None:
    """Models of three exporters, whose names for the graph say nothing."""
    identity = identify(real_model(package, member))
    assert identity is not None
    assert (identity.format, identity.name, identity.problem) == ("onnx", None, None)
    assert (identity.parameters, identity.quantization) == (parameters, kind)


def test_reads_what_onnxruntime_ships() -> None:
    """Its own examples, of the version 3 that is still around."""
    import onnxruntime.datasets  # noqa: PLC0415

    folder = Path(onnxruntime.datasets.__file__).parent
    found = {path.stem: identify(path.read_bytes()) for path in folder.glob("*.onnx")}
    assert found["mul_1"] == Identity("onnx", "mul test", None, 6, "F32", tensor_types=(("F32", 6),))
    assert found["logreg_iris"] == Identity("onnx")  # its name is a digest, its weights are an operator's settings
    assert found["sigmoid"] == Identity("onnx", "test_sigmoid")


def test_reads_little_of_a_large_model() -> None:
    """Weights are stepped over: a model of 40 MB is identified by some KiB."""
    data = model([tensor((1000, 1000), name=f"w{index}") for index in range(10)]).SerializeToString()
    window = Memory(data)
    identity = FORMAT.identify(window)
    assert identity is not None
    assert identity.parameters == 10_000_000
    assert 96 * 1024 * 1024 - window.left < 100_000


def test_survives_every_cut(valid: bytes) -> None:
    """A download that stopped is a model with a problem, as soon as its graph has begun."""
    ends_of_fields = {valid.rindex(b"r\x0e\n\x07license")}
    for end in range(17, len(valid)):
        identity = identify(valid[:end])
        assert identity is None or identity.problem is not None or end in ends_of_fields, end
    half = identify(valid[: len(valid) // 2])
    assert half is not None
    assert (half.parameters, half.problem) == (None, "the file ends in the middle of its header")


def test_cut_in_its_last_weights(valid: bytes) -> None:
    """A payload that the file does not have is noticed although nobody reads it."""
    data = model([tensor((100_000,))]).SerializeToString()
    identity = identify(data[:200_000])
    assert identity is not None
    assert identity.problem is not None


OTHERS = {
    "empty": b"\x08\x01" + bytes(40),
    "numbers only": varint(1, 8) * 30,
    "a graph of strings": varint(1, 8) + message(7, message(1, b"hello world, nothing here")) + OPSET,
    "a graph without operators": varint(1, 8) + message(7, message(1, message(1, b"abcdefgh"))),
    "a name that is no operator": varint(1, 8) + message(7, message(1, message(4, b"\x01\x02 \xff"))) + OPSET,
    "another type of the graph": varint(1, 8) + varint(7, 12) + OPSET * 5,
    "another type behind the graph": varint(1, 8) + message(7, NODE) + OPSET + varint(14, 3),
    "no operator set": varint(1, 8) + message(7, NODE),
    "a version of the far future": varint(1, 1000) + message(7, NODE) + OPSET,
    "no version": message(7, NODE) + OPSET,
    "version without an end": b"\x08" + b"\xff" * 40,
}


@pytest.mark.parametrize("what", OTHERS)
def test_leaves_other_protocol_buffers_alone(what: str) -> None:
    """Only what has the fields of a model is one."""
    assert identify(OTHERS[what]) is None


def hostile_tensor(*dims: int, kind: int = 1, raw: bytes = b"") -> bytes:
    """A model with one initializer of this shape."""
    initializer = message(5, *(varint(1, size) for size in dims), varint(2, kind), message(9, raw))
    return varint(1, 8) + message(7, NODE, initializer) + OPSET


@pytest.mark.parametrize("dims", [(2**60,), (2**31, 2**31, 2**31), (2**64 - 1,), (10**6,) * 70, (1000,)])
def test_believes_no_shape_without_a_place(dims: tuple[int, ...]) -> None:
    """A shape that has no bytes, or that no model has, is a problem."""
    identity = within_limits(lambda: identify(hostile_tensor(*dims)))
    assert identity is not None
    assert (identity.parameters, identity.problem is None) == (None, False)


FLOODS = {
    "empty nodes": varint(1, 8) + message(7, NODE, message(1) * 400_000) + OPSET,
    "empty fields": varint(1, 8) + message(7, NODE) + b"\x08\x08" * 400_000,
    "empty tensors": varint(1, 8) + message(7, NODE, message(5) * 400_000) + OPSET,
    "types without end": varint(1, 8)
    + message(7, NODE, *(message(5, varint(1, 1), varint(2, kind), varint(14, 1)) for kind in range(30, 90_000)))
    + OPSET,
    "metadata": varint(1, 8) + message(7, NODE) + message(14, message(1, b"k"), message(2, b"v")) * 50_000 + OPSET,
    "packed dimensions": varint(1, 8) + message(7, NODE, message(5, message(1, b"\1" * 8_000_000))) + OPSET,
}


@pytest.mark.parametrize("what", FLOODS)
def test_floods_end(what: str) -> None:
    """Millions of fields end within what an inspection has."""
    within_limits(lambda: identify(FLOODS[what]))


def test_graphs_within_graphs_end() -> None:
    """A graph in a node in a graph, a hundred times, is given up."""
    graph = message(1, bytes(0)) + message(3, bytes(600))
    for _ in range(100):
        graph = message(1, message(4, b"If"), message(5, message(6, graph)))
    identity = within_limits(lambda: identify(varint(1, 8) + message(7, graph) + OPSET))
    assert identity is not None
    assert identity.problem == "it is nested deeper than any model"


def test_lengths_beyond_the_file_end() -> None:
    """A graph that claims 2^60 bytes is a file that is cut short."""
    data = varint(1, 8) + b"\x3a" + number(2**60) + NODE + message(5, claim=2**59)
    identity = within_limits(lambda: identify(data))
    assert identity is not None
    assert identity.problem == "the file ends in the middle of its header"


def test_spent_budget_is_a_problem() -> None:
    """A file that makes the walk jump to and fro ends with the budget."""
    weights = message(5, message(8, b"w" * 5000), varint(1, 0), varint(2, 1)) * 2000
    identity = identify(varint(1, 8) + message(7, NODE, weights) + OPSET, budget=1 << 20)
    assert identity is not None
    assert identity.problem == "it is larger than an inspection reads"


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(valid: bytes, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(valid)))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
