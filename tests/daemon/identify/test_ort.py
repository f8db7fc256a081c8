"""ONNX Runtime's own format: what it writes gives the identity, hostile files a problem."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.encodings import Builder
from tests.limits import within_limits
from tests.models import Memory, mutations
from tests.real_models import real_model

from modelwarden.daemon.identify.ort import FORMAT
from modelwarden.daemon.identify.sniffer import Identity


def identify(data: bytes, size: int | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def ort(
    shape: list[int], kind: int = 1, size: int = 24, *, props: tuple[tuple[str, str], ...] = (), repeat: int = 1
) -> bytes:
    """A file with one tensor, which `repeat` entries of the list name."""
    builder = Builder(1024)
    data = builder.CreateByteVector(bytes(size))
    dims = builder.numbers("q", shape)
    tensor = builder.table({2: ("offset", dims), 3: ("Int32", kind), 4: ("offset", data)})
    entries = []
    for key, value in props:
        strings = builder.CreateString(key), builder.CreateString(value)
        entries.append(builder.table({0: ("offset", strings[0]), 1: ("offset", strings[1])}))
    graph = builder.table({0: ("offset", builder.offsets([tensor] * repeat))})
    metadata = builder.offsets(entries)
    model = builder.table({0: ("Int64", 8), 7: ("offset", graph), 9: ("offset", metadata)})
    version = builder.CreateString("6")
    return builder.close(builder.table({0: ("offset", version), 1: ("offset", model)}), b"ORTM")


VALID = ort([2, 3], props=(("model_name", "Tiny"), ("license", "mit")))


def convert(path: Path, model: bytes) -> bytes:
    """What ONNX Runtime makes of an ONNX model, as it is written without changes to the graph."""
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return path.read_bytes()


def test_says_what_a_model_is() -> None:
    """Name and licence from the metadata, weights from the tensors."""
    assert identify(VALID) == Identity(
        "ort", "Tiny", parameters=6, quantization="F32", license="mit", tensor_types=(("F32", 6),)
    )


def test_reads_what_onnxruntime_writes(tmp_path: Path) -> None:
    """A real model, with as many weights as it had before."""
    model = real_model("basic_pitch", "basic_pitch/saved_models/icassp_2022/nmp.onnx")
    identity = identify(convert(tmp_path / "nmp.ort", model))
    assert identity == Identity(
        "ort", parameters=36_037, quantization="F32", tensor_types=(("F32", 35_740), ("I64", 296), ("I32", 1))
    )


def test_counts_weights_of_inner_graphs(tmp_path: Path) -> None:
    """A model all of whose weights are in the branches of an If."""
    model = real_model("silero_vad", "silero_vad/data/silero_vad.onnx")
    identity = identify(convert(tmp_path / "vad.ort", model))
    assert identity is not None
    assert (identity.quantization, identity.problem) == ("F32", None)
    assert identity.parameters is not None
    assert 540_000 < identity.parameters < 550_000


@pytest.mark.parametrize("data", [b"aaaaORTM" + bytes(100), bytes(4) + b"ORTM" + bytes(8)])
def test_needs_a_table(data: bytes) -> None:
    """Four letters at the fifth byte are not enough."""
    assert identify(data) is None


@pytest.mark.parametrize("shape", [[2**60], [2**40] * 3, [-1], [7], [1] * 65])
def test_believes_no_shape_without_a_place(shape: list[int]) -> None:
    """A tensor has no more weights than its bytes have room for."""
    identity = within_limits(lambda: identify(ort(shape)))
    assert identity is not None
    assert (identity.parameters, identity.problem is None) == (None, False)


def test_graphs_within_graphs_end() -> None:
    """Offsets lead forward only, but ten attributes may share a graph whose ten attributes share a graph."""
    builder = Builder(1024)
    graph = builder.table({0: ("offset", builder.offsets([]))})
    for _ in range(15):
        attribute = builder.table({2: ("Int32", 5), 7: ("offset", graph)})
        node = builder.table({10: ("offset", builder.offsets([attribute] * 10))})
        graph = builder.table({2: ("offset", builder.offsets([node]))})
    model = builder.table({7: ("offset", graph)})
    data = builder.close(builder.table({1: ("offset", model)}), b"ORTM")
    identity = within_limits(lambda: identify(data))
    assert identity is not None
    assert identity.problem == "it has more values than an inspection reads"


@settings(max_examples=400, deadline=3000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(VALID)))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
