"""Core ML: real and hand-made files give their identity, files that begin alike are told apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.encodings import message, number, varint
from tests.limits import within_limits
from tests.models import Memory, mutations
from tests.real_models import real_model

from modelwarden.daemon.identify import coreml, onnx, savedmodel
from modelwarden.daemon.identify.coreml import FORMAT
from modelwarden.daemon.identify.sniffer import Format, Identity

PITCH = "basic_pitch/saved_models/icassp_2022"
INPUT = message(1, message(1, b"image"), message(3, message(5, varint(1, 3))))
METADATA = message(
    100,
    message(1, b"Tells cats from dogs"),
    message(3, b"Dana"),
    message(4, b"MIT"),
    message(100, message(1, b"com.github.apple.coremltools.version"), message(2, b"8.1")),
)


def identify(data: bytes, size: int | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def mlmodel(kind: int = 500, *, description: bytes = INPUT + METADATA, version: int = 5, body: bytes = b"") -> bytes:
    """A model of this kind."""
    return varint(1, version) + message(2, description) + varint(10, 1) + message(kind, body)


@pytest.mark.parametrize(
    ("kind", "architecture"), [(500, "NeuralNetwork"), (402, "TreeEnsembleClassifier"), (502, "MLProgram")]
)
def test_says_what_a_model_is(kind: int, architecture: str) -> None:
    """The kind of model is the number of a field; name and licence stand in the description."""
    expected = Identity("coreml", "Tells cats from dogs", architecture, license="MIT")
    assert identify(mlmodel(kind, body=bytes(1000))) == expected


def test_a_name_goes_before_the_description() -> None:
    """What a publisher defines as the name is one."""
    metadata = message(100, message(1, b"Words"), message(100, message(1, b"name"), message(2, b"CatNet")))
    identity = identify(mlmodel(description=INPUT + metadata))
    assert identity is not None
    assert identity.name == "CatNet"


def test_reads_a_real_model() -> None:
    """A program inside a package, which says nothing of itself."""
    data = real_model("basic_pitch", f"{PITCH}/nmp.mlpackage/Data/com.apple.CoreML/model.mlmodel")
    assert identify(data) == Identity("coreml", architecture="MLProgram")


def table() -> list[tuple[str, bytes]]:
    """Three formats whose files begin alike, and what else might: (format or nothing, data)."""
    return [
        ("coreml", mlmodel()),
        ("coreml", mlmodel(version=1, kind=402)),
        ("coreml", real_model("basic_pitch", f"{PITCH}/nmp.mlpackage/Data/com.apple.CoreML/model.mlmodel")),
        ("onnx", real_model("basic_pitch", f"{PITCH}/nmp.onnx")),
        ("onnx", varint(1, 1) + message(2, b"\x0a\x03abc") + message(7, message(1, message(4, b"Relu"))) + message(8)),
        ("tensorflow-savedmodel", real_model("basic_pitch", f"{PITCH}/nmp/saved_model.pb")),
        ("", varint(1, 1) + message(2, b"\x0a\x03abc") * 3),
        ("", varint(1, 5) + message(2, INPUT)),
        ("", varint(1, 5) + message(2, b"hello world, this is no message") + message(500)),
        ("", varint(1, 5) + message(2, INPUT) + b"\xff" * 20),
        ("", varint(1, 5) + message(2, varint(1, 2)) + message(500)),
        ("", varint(1, 5) + message(2, INPUT) + message(77, bytes(20))),
        ("", varint(1, 5) + message(2, message(2, b"abc"), INPUT) + message(500)),
        ("", varint(1, 500) + message(2, INPUT) + message(500, bytes(20))),
    ]


@pytest.mark.parametrize("row", range(14))
def test_is_told_from_what_begins_alike(row: int) -> None:
    """The formats of protocol buffers take their own only, whichever is asked first."""
    expected, data = table()[row]
    formats: tuple[Format, ...] = (coreml.FORMAT, onnx.FORMAT, savedmodel.FORMAT)
    found = [one.identify(Memory(data)) for one in formats if one.recognises(data[:64], len(data))]
    assert [identity.format for identity in found if identity] == ([expected] if expected else [])


def test_survives_every_cut() -> None:
    """A download that stopped is a model with a problem once its kind is known."""
    data = mlmodel(body=bytes(1000))
    for end in range(17, len(data)):
        identity = identify(data[:end])
        assert identity is None or identity.problem is not None, end
    assert identify(data[:-500]) is not None


def test_floods_end() -> None:
    """Fields without end, and lengths beyond any file."""
    many = message(100, message(100, message(1, b"k")) * 300_000)
    within_limits(lambda: identify(mlmodel(description=INPUT + many)))
    within_limits(lambda: identify(varint(1, 5) + message(2, INPUT * 100_000) + message(500, claim=2**60)))
    within_limits(lambda: identify(varint(1, 5) + b"\x12" + number(2**62) + INPUT * 5))


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identify(data.draw(mutations(mlmodel(body=bytes(100)))))
