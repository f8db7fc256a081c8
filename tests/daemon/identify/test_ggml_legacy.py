"""The formats of ggml before GGUF: a whisper is counted, others are told to be models, hostile ones a problem."""

from struct import pack

import pytest
from hypothesis import given, settings
from tests.models import Memory, mutations

from modelwarden.daemon.identify.ggml_legacy import FORMAT
from modelwarden.daemon.identify.sniffer import Identity


def tensor(name: bytes, shape: tuple[int, ...], kind: int, size: int) -> bytes:
    """A tensor of a whisper, with its data."""
    return pack(f"<3i{len(shape)}i", len(shape), len(name), kind, *shape) + name + bytes(size)


def whisper(*tensors: bytes, vocabulary: int = 51_864, kind: int = 1, tokens: int = 300) -> bytes:
    """A file as whisper.cpp's converter writes it, with few tokens."""
    numbers = pack("<11i", vocabulary, 1500, 384, 6, 4, 448, 384, 6, 4, 80, kind)
    filters = pack("<2i", 80, 201) + bytes(4 * 80 * 201)
    words = pack("<i", tokens) + b"".join(pack("<I", 3) + b"abc" for _ in range(tokens))
    return b"lmgg" + numbers + filters + words + b"".join(tensors)


TINY = whisper(
    tensor(b"encoder.conv1.weight", (3, 80, 4), 1, 1920),
    tensor(b"encoder.conv1.bias", (1, 4), 0, 16),
    tensor(b"decoder.weight", (64, 2), 8, 136),
)


def identify(data: bytes, size: int | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def test_counts_a_whisper() -> None:
    """Its tensors stand up to the end of the file."""
    types = (("F16", 960), ("Q8_0", 128), ("F32", 4))
    assert identify(TINY) == Identity("ggml", None, "whisper", 1092, "F16", tensor_types=types)


@pytest.mark.parametrize(("kind", "name"), [(0, "F32"), (2007, "Q8_0"), (2008, "Q5_0"), (14, "Q6_K")])
def test_tells_the_quantization(kind: int, name: str) -> None:
    """The version of the quantization is put into the same number."""
    identity = identify(whisper(kind=kind))
    assert identity is not None
    assert identity.quantization == name


@pytest.mark.parametrize(("magic", "version"), [(b"fmgg", 1), (b"tjgg", 1), (b"tjgg", 3)])
def test_tells_a_llama(magic: bytes, version: int) -> None:
    """The numbers of a llama stand in a relation that others lack."""
    numbers = pack("<7I", 32_000, 4096, 256, 32, 32, 128, 2)
    assert identify(magic + pack("<I", version) + numbers + bytes(100)) == Identity("ggml", None, "llama", None, "Q4_0")


@pytest.mark.parametrize(
    "data",
    [
        b"lmgg" + pack("<6i", 50_257, 1024, 768, 12, 12, 1),
        b"fmgg" + pack("<6I", 101, 65_536, 4096, 32, 0, 0),
        b"tjgg" + pack("<8I", 3, 50_432, 2048, 4096, 32, 32, 32, 2),
        b"algg" + pack("<3I", 1, 8, 16),
        whisper(vocabulary=10),
    ],
)
def test_others_are_models_of_no_name(data: bytes) -> None:
    """What the numbers of other models mean is not written in the file."""
    assert identify(data.ljust(200, b"\0")) == Identity("ggml")


@pytest.mark.parametrize(
    "data",
    [b"lmgg is the start of a text that goes on", b"fmgg\0\0\0\0", b"tjgg\4\0\0\0", b"algg\2\0\0\0", b"lmgg\1\0\0\0"],
)
def test_leaves_others_alone(data: bytes) -> None:
    """A magic of four letters is not enough."""
    assert identify(data.ljust(200, b" ") if len(data) > 8 else data) is None


def test_sees_a_download_that_stopped() -> None:
    """A part is no count."""
    for end in range(64, len(TINY), 101):
        identity = identify(TINY[:end])
        assert identity is not None
        assert identity.architecture == "whisper"
        assert (identity.parameters, identity.tensor_types) == (None, ()) or identity.problem is None


@pytest.mark.parametrize(
    "data",
    [
        whisper(tokens=0)[:-4] + pack("<I", 1 << 31),
        whisper(tokens=0)[:-4] + pack("<I", 1 << 20) + b"\xff" * 100,
        whisper(tensor(b"w", (-1, -1, -1, -1), 0, 0)),
        whisper(pack("<3i", 5, 1, 0) + bytes(100)),
        whisper(pack("<3i", 1, 1, 99) + bytes(100)),
        whisper(tensor(b"", (0,), 0, 0) * 20_000),
        TINY[:48] + b"\xff" * 80,
    ],
)
def test_survives_lies(data: bytes) -> None:
    """Counts beyond the file end in a problem."""
    identity = identify(data)
    assert identity is not None
    assert identity.problem is not None
    assert identity.parameters is None


@settings(max_examples=300, deadline=2000)
@given(data=mutations(TINY))
def test_survives_mutations(data: bytes) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data)
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
