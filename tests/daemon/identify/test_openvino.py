"""OpenVINO: weights are a model by the graph beside them, and no graph makes the reader slow."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, Shelf, mutations

from modelwarden.daemon.identify.openvino import FORMAT
from modelwarden.daemon.identify.sniffer import Identity

LAYER = """\t\t<layer id="{id}" name="Constant_{id}" type="Const" version="opset1">
\t\t\t<data element_type="{kind}" shape="{shape}" offset="{offset}" size="{size}" />
\t\t\t<rt_info>
\t\t\t\t<attribute name="DisablePrecisionConversion" version="0" value="dynamic:f16" />
\t\t\t</rt_info>
\t\t\t<output>
\t\t\t\t<port id="0" precision="FP32" />
\t\t\t</output>
\t\t</layer>
"""
OTHER = """\t\t<layer id="0" name="in > out" type="Parameter" version="opset1">
\t\t\t<data shape="1,8" element_type="f32" />
\t\t\t<output>
\t\t\t\t<port id="0" precision="FP32" names="Const">
\t\t\t\t\t<dim>1</dim>
\t\t\t\t</port>
\t\t\t</output>
\t\t</layer>
\t\t<layer id="2" name="MatMul_4" type="MatMul" version="opset1">
\t\t\t<data transpose_a="false" transpose_b="true" />
\t\t</layer>
"""
Constant = tuple[str, str, int, int]
"""Element type, shape, offset and size."""


def xml(constants: Sequence[Constant], *, name: str = "Tiny &amp; fast", version: str = "11", end: str = "") -> bytes:
    """A graph as OpenVINO 2026.4 writes it."""
    layers = OTHER + "".join(
        LAYER.format(id=number, kind=kind, shape=shape, offset=offset, size=size)
        for number, (kind, shape, offset, size) in enumerate(constants, 1)
    )
    info = '\t<rt_info>\n\t\t<info name="OpenVINO Runtime" value="2026.4.1" />\n\t</rt_info>\n</net>\n'
    head = f'<?xml version="1.0"?>\n<net name="{name}" version="{version}">\n\t<layers>\n'
    return f"{head}{layers}\t</layers>\n\t<edges>\n\t</edges>\n{end or info}".encode()


USUAL: tuple[Constant, ...] = (("f16", "8, 8", 0, 128), ("i64", "3", 128, 24), ("f16", "", 152, 2))
WEIGHTS = bytes(154)
EXPECTED = Identity(
    "openvino", "Tiny & fast", parameters=68, quantization="F16", tensor_types=(("F16", 65), ("I64", 3))
)


def weights(
    graph: bytes | None, data: bytes = WEIGHTS, name: str = "openvino_model.bin", beside: str = "openvino_model.xml"
) -> Identity | None:
    """The identity of a file of weights with this graph beside it."""
    window = Memory(data, name=name, beside=Shelf({beside: graph} if graph is not None else {}))
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def graph(data: bytes, name: str = "openvino_model.xml") -> Identity | None:
    """The identity of a graph that is itself opened."""
    window = Memory(data, name=name)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def test_weights_are_known_by_their_neighbour() -> None:
    """Shapes, types and the name stand in the graph."""
    assert weights(xml(USUAL)) == EXPECTED


def test_a_graph_is_known_by_itself() -> None:
    """As it says of the weights, which are in the other file."""
    assert graph(xml(USUAL)) == EXPECTED
    assert graph(b"\xef\xbb\xbf" + xml(USUAL)[22:]) == EXPECTED


def test_shared_weights_count_once() -> None:
    """Two layers may refer to the same place."""
    identity = weights(xml([USUAL[0], USUAL[0]]))
    assert identity is not None
    assert identity.parameters == 64


def test_bodies_of_loops_count() -> None:
    """Graphs within a layer have layers of their own."""
    loop = '<layer id="9" name="l" type="If" version="opset8"><then_body><layers>'
    inner = (
        '<layer id="0" name="c" type="Const" version="opset1"><data element_type="u4" shape="30" offset="0" size="15"/>'
    )
    identity = weights(xml([], end=f"{loop}{inner}</layer></layers></then_body></layer></net>"))
    assert identity is not None
    assert (identity.parameters, identity.quantization) == (30, "U4")


@pytest.mark.parametrize("name", ["Model0", "Model17", "torch_jit", "TensorFlow_Frontend_IR", "onnx_Frontend_IR", ""])
def test_names_of_converters_are_none(name: str) -> None:
    """What every graph is called names none."""
    identity = weights(xml(USUAL, name=name))
    assert identity is not None
    assert identity.name is None


def test_configuration_beside_names_the_model() -> None:
    """What transformers exports has its configuration in the same folder."""
    config = b'{"architectures": ["BertModel"], "_name_or_path": "dana/tiny-bert"}'
    beside = Shelf({"m.xml": xml(USUAL, name="Model0"), "config.json": config})
    identity = FORMAT.identify(Memory(WEIGHTS, name="m.bin", beside=beside))
    assert identity is not None
    assert (identity.name, identity.architecture) == ("dana/tiny-bert", "BertModel")


@pytest.mark.parametrize(
    ("beside", "name"),
    [
        ("other.xml", "openvino_model.bin"),
        ("openvino_model.xml", "openvino_model.dat"),
        ("openvino_model.xml", "openvino_model"),
        ("openvino_model.xml", ""),
    ],
)
def test_other_names_are_no_neighbours(beside: str, name: str) -> None:
    """The two files have the same name up to the suffix."""
    assert weights(xml(USUAL), beside=beside, name=name) is None


OTHERS = {
    "another document": b'<?xml version="1.0"?><html><body>net</body></html>',
    "a net of another trade": b'<?xml version="1.0"?>\n<net name="Petri" version="11"><place id="1"/></net>',
    "a version without such constants": xml(USUAL, version="9"),
    "a document type": xml(USUAL).replace(b"<net", b'<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><net', 1),
    "text": b"name version layers",
    "nothing": b"",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("what", OTHERS)
def test_other_documents_make_no_model(what: str) -> None:
    """Neither of the file beside them nor of themselves; entities are never reached."""
    assert weights(OTHERS[what]) is None
    assert graph(OTHERS[what]) is None


@pytest.mark.parametrize("head", [b"PK\3\4", b"\x80\2}", b"\x80\4\x95"])
def test_hides_nothing_that_runs_code(head: bytes) -> None:
    """A graph beside a pickle or a zip archive does not make it bare numbers."""
    assert weights(xml(USUAL), head + WEIGHTS) is None


def test_tells_weights_that_are_cut_short() -> None:
    """The graph says how many bytes there have to be."""
    identity = weights(xml(USUAL), WEIGHTS[:100])
    assert identity is not None
    assert identity.problem == "the file is cut short: it has 100 of the 154 bytes that its header promises"


def test_tells_a_graph_that_is_cut_short() -> None:
    """A graph without its end has a problem, wherever it was cut."""
    data = xml(USUAL)
    for end in range(70, len(data) - 1):
        identity = weights(data[:end])
        assert identity is None or identity.problem is not None, end
    assert weights(data[: len(data) // 2]) is not None


@pytest.mark.parametrize(
    "constant",
    [
        ("f32", "8,8", 0, 100),
        ("f32", str(2**59), 0, 154),
        ("f32", ",".join(["1000000000"] * 9), 0, 154),
        ("f32", ",".join(["1"] * 1000), 0, 154),
        ("f32", "?,8", 0, 154),
        ("f32", "-1", 0, 154),
    ],
)
def test_believes_no_shape_without_a_place(constant: Constant) -> None:
    """A constant has no more weights than its bytes have room for."""
    identity = weights(xml([constant]))
    assert identity is not None
    assert (identity.parameters, identity.problem is None) == (None, False)


HEAD = b'<net name="a" version="11"><layers>'
FLOODS = {
    "layers that never close": b"<layer " * 2_000_000,
    "blanks": b"<layer" + b" " * 14_000_000,
    "attributes": b"<layer" + b' a="b"' * 2_000_000,
    "one attribute": b'<layer a="' + b"x" * 14_000_000,
    "layers with many attributes": (b"<layer" + b' a="b"' * 30 + b">") * 70_000,
    "constants": b'<layer type="Const"><data element_type="u8" shape="1" offset="0" size="1"/>' * 190_000,
    "constants elsewhere": b"".join(
        b'<layer type="Const"><data element_type="u8" shape="1" offset="%d" size="1"/>' % at for at in range(150_000)
    ),
    "blanks between": (b"<layer>" + b" " * 1000 + b"<date>") * 14_000,
    "numbers": b'<layer type="Const"><data element_type="u8" shape="' + b"1," * 7_000_000 + b'"/>',
    "elements within each other": b"<a>" * 5_000_000,
    "quotes": b'<layer a="' * 1_000_000,
}


@pytest.mark.parametrize("what", FLOODS)
def test_floods_end(what: str) -> None:
    """No graph of 16 MiB takes the reader longer than an inspection has."""
    data = HEAD + FLOODS[what]
    assert len(data) <= 16 << 20
    found = within_limits(lambda: weights(data, bytes(200_000)))
    assert found is not None
    assert found.problem is not None


def test_a_graph_that_is_too_large_is_named() -> None:
    """Of a larger graph the beginning is read."""
    identity = within_limits(lambda: graph(xml(USUAL, end=" " * (17 << 20))))
    assert identity is not None
    assert (identity.name, identity.parameters, identity.problem is None) == ("Tiny & fast", None, False)


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = weights(data.draw(mutations(xml(USUAL))))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
