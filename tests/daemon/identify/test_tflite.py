"""TensorFlow Lite: real files give their identity, hostile ones a problem."""

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.encodings import Builder
from tests.limits import within_limits
from tests.models import Memory, mutations
from tests.real_models import real_model

from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.identify.tflite import FORMAT

REAL = ("basic_pitch", "basic_pitch/saved_models/icassp_2022/nmp.tflite")
SUBGRAPHS, DESCRIPTION, BUFFERS, METADATA = 2, 3, 4, 6


def identify(data: bytes, size: int | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def tflite(
    tensors: tuple[tuple[list[int], int, int], ...],
    sizes: tuple[int, ...] = (0, 24, 6),
    *,
    description: str = "Tiny detector",
    metadata: bytes = b"",
    repeat: int = 1,
) -> bytes:
    """A file of tensors (shape, type, number of the buffer) and buffers of these sizes."""
    builder = Builder(1024)
    contents = [bytes(size) for size in sizes] + ([metadata] if metadata else [])
    vectors = [builder.CreateByteVector(content) if content else 0 for content in contents]
    buffers = builder.offsets([builder.table({0: ("offset", one)} if one else {}) for one in vectors])
    made = []
    for shape, kind, buffer in tensors:
        sides = builder.numbers("i", shape)
        made.append(builder.table({0: ("offset", sides), 1: ("Int8", kind), 2: ("Uint32", buffer)}))
    graph = builder.table({0: ("offset", builder.offsets(made))})
    graphs = builder.offsets([graph] * repeat)
    said = builder.CreateString(description)
    fields = {
        0: ("Uint32", 3),
        SUBGRAPHS: ("offset", graphs),
        DESCRIPTION: ("offset", said),
        BUFFERS: ("offset", buffers),
    }
    if metadata:
        name = builder.CreateString("TFLITE_METADATA")
        entry = builder.table({0: ("offset", name), 1: ("Uint32", len(contents) - 1)})
        fields[METADATA] = ("offset", builder.offsets([entry]))
    return builder.close(builder.table(fields), b"TFL3")


def published(name: str, license: str) -> bytes:  # noqa: A002
    """The metadata that a publisher adds."""
    builder = Builder(256)
    strings = builder.CreateString(name), builder.CreateString(license)
    return builder.close(builder.table({0: ("offset", strings[0]), 5: ("offset", strings[1])}), b"M001")


VALID = tflite((([2, 3], 0, 1), ([6], 9, 2), ([100], 0, 0)))


def test_says_what_a_model_is() -> None:
    """Tensors with a buffer are weights, those without one are computed."""
    assert identify(VALID) == Identity(
        "tflite", "Tiny detector", parameters=12, quantization="F32", tensor_types=(("F32", 6), ("I8", 6))
    )


def test_shared_buffers_count_once() -> None:
    """Two graphs with the same weights have them once."""
    identity = identify(tflite((([2, 3], 0, 1),), repeat=5))
    assert identity is not None
    assert identity.parameters == 6


@pytest.mark.parametrize("description", ["MLIR Converted.", "TOCO Converted.", "main", ""])
def test_names_of_converters_are_none(description: str) -> None:
    """What every file says names none."""
    identity = identify(tflite((([2, 3], 0, 1),), description=description))
    assert identity is not None
    assert identity.name is None


def test_metadata_names_the_model() -> None:
    """Name and licence of the publisher go before the converter's description."""
    data = tflite((([2, 3], 0, 1),), metadata=published("MobileNet V2", "Apache-2.0"))
    identity = identify(data)
    assert identity is not None
    assert (identity.name, identity.license, identity.problem) == ("MobileNet V2", "Apache-2.0", None)


@pytest.mark.parametrize(
    ("kind", "size", "shown"), [(1, 12, "F16"), (17, 3, "I4"), (18, 12, "BF16"), (3, 6, "U8"), (19, 2, "I2")]
)
def test_tells_how_weights_are_stored(kind: int, size: int, shown: str) -> None:
    """Also those of which a byte holds several."""
    identity = identify(tflite((([2, 3], kind, 1),), (0, size)))
    assert identity is not None
    assert (identity.quantization, identity.parameters, identity.problem) == (shown, 6, None)


def test_reads_a_real_model() -> None:
    """The converter's own file."""
    identity = identify(real_model(*REAL))
    assert identity == Identity(
        "tflite", parameters=35_902, quantization="F32", tensor_types=(("F32", 35_739), ("I32", 163))
    )


def test_a_real_model_that_is_cut_short() -> None:
    """A download that stopped is a model with a problem."""
    data = real_model(*REAL)
    for part in (100, 1000, len(data) // 2, len(data) - 1000):
        identity = identify(data[:part])
        assert identity is not None, part
        assert (identity.parameters, identity.problem is None) == (None, False), part


@pytest.mark.parametrize("data", [b"aaaaTFL3" + bytes(100), bytes(4) + b"TFL3", b"\xff" * 4 + b"TFL3" + b"\xff" * 50])
def test_needs_a_table(data: bytes) -> None:
    """Four letters at the fifth byte are not enough."""
    assert identify(data) is None


@pytest.mark.parametrize("shape", [[2**31 - 1] * 8, [2**31 - 1], [-1], [7]])
def test_believes_no_shape_without_a_place(shape: list[int]) -> None:
    """A tensor has no more weights than its buffer has room for."""
    identity = within_limits(lambda: identify(tflite(((shape, 0, 1),))))
    assert identity is not None
    assert (identity.parameters, identity.problem is None) == (None, False)


def test_believes_no_buffer_that_is_not_there() -> None:
    """A tensor may refer to any number."""
    identity = identify(tflite((([2, 3], 0, 2**32 - 1),)))
    assert identity is not None
    assert identity.problem == "a tensor refers to a buffer that is not there"


def test_one_table_many_times_ends() -> None:
    """Vectors may name the same table again and again."""
    identity = within_limits(lambda: identify(tflite((([2, 3], 0, 1),) * 50, repeat=20_000)))
    assert identity is not None
    assert identity.problem == "it has more values than an inspection reads"


def test_vectors_of_any_claimed_length_end() -> None:
    """Each number of the file as the largest there is."""
    for at in range(8, len(VALID) - 4, 2):
        for lie in (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", pack("<I", len(VALID))):
            identify(VALID[:at] + lie + VALID[at + 4 :])


@settings(max_examples=400, deadline=3000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(VALID)))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15


@settings(max_examples=60, deadline=5000)
@given(data=st.data())
def test_survives_mutations_of_a_real_model(data: st.DataObject) -> None:
    """Also where there is more to get lost in."""
    identify(data.draw(mutations(real_model(*REAL)[:40_000])))
