"""CTranslate2: variables are counted over their settings and scales, hostile ones are a problem."""

from struct import pack

import pytest
from hypothesis import given, settings
from tests.models import Memory, mutations

from modelwarden.daemon.identify.ctranslate2 import FORMAT
from modelwarden.daemon.identify.sniffer import Identity

F32, I8, I32, F16 = 0, 1, 3, 4


def string(text: bytes) -> bytes:
    """A string as `_write_string` writes it."""
    return pack("<H", len(text) + 1) + text + b"\0"


def variable(name: bytes, shape: tuple[int, ...], kind: int, size: int) -> bytes:
    """A variable with its data, of version 4 or later."""
    return string(name) + pack(f"<B{len(shape)}IBI", len(shape), *shape, kind, size) + bytes(size)


def model(*variables: bytes, version: int = 6, spec: bytes = b"WhisperSpec", count: int | None = None) -> bytes:
    """A model.bin as `ModelSpec._serialize` writes it."""
    number = len(variables) if count is None else count
    return pack("<I", version) + string(spec) + pack("<II", 3, number) + b"".join(variables) + pack("<I", 0)


WHISPER = model(
    variable(b"decoder/activation", (), I8, 1),
    variable(b"decoder/embeddings/weight", (16, 8), I8, 128),
    variable(b"decoder/embeddings/weight_scale", (16,), F32, 64),
    variable(b"decoder/layer_norm/beta", (8,), F32, 32),
)


def identify(data: bytes) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def test_says_what_a_model_is() -> None:
    """Settings are no weights, and scales belong to the weights that they stand beside."""
    types = (("I8", 128), ("F32", 8))
    assert identify(WHISPER) == Identity("ctranslate2", None, "WhisperSpec", 136, "I8", tensor_types=types)


def test_reads_an_old_version() -> None:
    """Before version 4 the size of an element told its type."""
    old = string(b"encoder/weight") + pack("<BIIBI", 2, 4, 8, 4, 32) + bytes(128)
    identity = identify(model(old, version=3, spec=b"TransformerBase"))
    assert identity == Identity("ctranslate2", None, "TransformerBase", 32, "F32", tensor_types=(("F32", 32),))


def test_packed_weights_are_not_counted() -> None:
    """AWQ puts eight weights into a number, which is not written in this file."""
    identity = identify(model(variable(b"decoder/weight", (16, 8), I32, 512), spec=b"TransformerDecoderSpec"))
    assert identity == Identity("ctranslate2", None, "TransformerDecoderSpec", None, "I32")


@pytest.mark.parametrize(
    "data",
    [
        b"\6\0\0\0" + bytes(100),
        b"\6\0\0\0\x0c\0" + b"no NUL here." + bytes(100),
        b"\6\0\0\0\x0a\0Whisper\0\0\0" + bytes(100),
        b"\1\0\0\0" + string(b"WhisperSpec") + bytes(100),
        b"\x09\0\0\0" + string(b"WhisperSpec") + bytes(100),
        model(count=0) + bytes(100),
        model(count=1) + b"\xff" * 100,
        model(count=1 << 30) + bytes(100),
    ],
)
def test_leaves_others_alone(data: bytes) -> None:
    """A small number with a word behind it is no model: there has to be a variable."""
    assert identify(data) is None


def test_sees_a_download_that_stopped() -> None:
    """A part is no count."""
    for end in range(75, len(WHISPER) - 4):
        identity = identify(WHISPER[:end])
        assert identity is not None
        assert (identity.architecture, identity.parameters) == ("WhisperSpec", None)
        assert identity.problem is not None


@pytest.mark.parametrize(
    "lie",
    [
        variable(b"w", (0xFFFFFFFF,) * 8, F32, 0),
        variable(b"w", (1,) * 200, F32, 0),
        variable(b"w", (1,), 77, 0),
        variable(b"\xff\xfe", (1,), F32, 0),
        string(b"n" * 60_000) + bytes(100),
        string(b"w") + pack("<BIBI", 1, 1, F32, 0xFFFFFFFF),
    ],
)
def test_survives_lies(lie: bytes) -> None:
    """Sizes beyond the file end in a problem."""
    identity = identify(model(variable(b"a", (10,), F32, 40), lie))
    assert identity is not None
    assert identity.problem is not None
    assert identity.parameters is None


@settings(max_examples=300, deadline=2000)
@given(data=mutations(WHISPER))
def test_survives_mutations(data: bytes) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data)
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
