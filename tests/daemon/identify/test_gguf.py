"""GGUF: real files give their identity, hostile ones a problem."""

import os
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import BUDGET, Memory, gguf_bytes, gguf_key, gguf_string, mutations, write_gguf

from modelwarden.daemon.identify.gguf import FORMAT
from modelwarden.daemon.identify.reading.window import FileWindow
from modelwarden.daemon.identify.sniffer import Identity, Shard

NAME = gguf_key("general.name", 8, gguf_string(b"Liar"))
LABEL = gguf_key("general.size_label", 8, gguf_string(b"8x7B"))
HUGE = pack("<Q", 1 << 60)
U16, U32, U64 = 2, 4, 10
TINY = Identity("gguf", "Tiny Llama", "llama", 2080, "Q4_K_M", "apache-2.0", tensor_types=(("F32", 2080),))


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small real file."""
    return write_gguf(tmp_path_factory.mktemp("gguf") / "m.gguf", vocabulary=20).read_bytes()


def identify(data: bytes, size: int | None = None, name: str = "") -> Identity:
    """The identity by the format under test."""
    window = Memory(data, size=size, name=name)
    assert FORMAT.recognises(data[:64], window.size)
    identity = FORMAT.identify(window)
    assert identity is not None
    return identity


def test_says_what_a_model_is(tmp_path: Path) -> None:
    """A file of the gguf package is known by name, architecture, size, quantization and licence."""
    path = write_gguf(tmp_path / "m.gguf")
    assert identify(path.read_bytes()) == TINY


def test_counts_weights_behind_a_vocabulary(tmp_path: Path) -> None:
    """The tensor table is reached past a quarter of a million tokens."""
    data = write_gguf(tmp_path / "m.gguf", vocabulary=260_000).read_bytes()
    identity = identify(data)
    assert (identity.parameters, identity.problem) == (2080, None)


def test_reads_the_other_byte_order(tmp_path: Path) -> None:
    """A big-endian file says the same."""
    path = write_gguf(tmp_path / "m.gguf", big_endian=True)
    assert identify(path.read_bytes()) == TINY


@pytest.mark.parametrize("version", [1, 2, 3])
def test_reads_every_version(version: int) -> None:
    """Version 1 counts with 32 bits, the later ones with 64."""
    counts = "<I" if version == 1 else "<Q"
    key = gguf_key("general.name", 8, gguf_string(b"Old", counts), counts)
    dims = pack("<I", 2) + pack(counts, 10) + pack(counts, 4)
    tensor = gguf_string(b"w", counts) + dims + pack("<IQ", 1, 0)
    data = gguf_bytes(version=version, tensors=1, body=(key,)) + tensor + bytes(200)
    assert identify(data) == Identity("gguf", "Old", None, 40, "F16", None, tensor_types=(("F16", 40),))


def test_tells_which_shard_it_is(tmp_path: Path) -> None:
    """The keys of llama-gguf-split count from 0, people from 1; the file's name does not matter then."""
    data = write_gguf(tmp_path / "m.gguf", split=(1, 3)).read_bytes()
    assert identify(data).shard == Shard(2, 3)
    assert identify(data, name="m-00003-of-00003.gguf").shard == Shard(2, 3)


def test_a_shard_is_known_by_its_name_too(tmp_path: Path) -> None:
    """Where there are no keys, the name tells."""
    data = write_gguf(tmp_path / "m.gguf").read_bytes()
    assert identify(data, name="m-00002-of-00005.gguf").shard == Shard(2, 5)
    assert identify(data, name="m.gguf").shard is None


@pytest.mark.parametrize(("number", "count"), [(0, 0), (3, 3), (0, 1), (65_535, 65_535)])
def test_believes_no_absurd_shard(number: int, count: int) -> None:
    """Part 4 of 3 is none, and one of one is a whole."""
    keys = (gguf_key("split.no", U16, pack("<H", number)), gguf_key("split.count", U16, pack("<H", count)))
    assert identify(gguf_bytes(body=keys)).shard is None


def test_ranks_how_weights_are_stored() -> None:
    """The type of most weights stands first."""
    kinds = ((8, 32), (30, 320), (0, 1))
    tensors = (gguf_string(b"w") + pack("<IQIQ", 1, weights, kind, 0) for kind, weights in kinds)
    data = gguf_bytes(tensors=3) + b"".join(tensors) + bytes(1000)
    assert identify(data).tensor_types == (("BF16", 320), ("Q8_0", 32), ("F32", 1))


def test_takes_the_name_of_a_licence(tmp_path: Path) -> None:
    """A licence outside the usual list has a name only."""
    key = gguf_key("general.license.name", 8, gguf_string(b"llama3.2"))
    assert identify(gguf_bytes(body=(key,))).license == "llama3.2"


def test_derives_the_quantization(tmp_path: Path) -> None:
    """Without a file type, the type that most weights have counts."""
    path = write_gguf(tmp_path / "m.gguf", file_type=None)
    assert identify(path.read_bytes()).quantization == "F32"


def test_takes_no_commit_for_a_name(tmp_path: Path) -> None:
    """Some converters write a commit hash where the name belongs."""
    path = write_gguf(tmp_path / "m.gguf", name="0123456789abcdef0123456789abcdef01234567")
    assert identify(path.read_bytes()).name is None


def test_falls_back_to_the_size_label() -> None:
    """Where the tensor table cannot be reached, the label says how many weights there should be."""
    identity = identify(gguf_bytes(tensors=1, body=(NAME, LABEL)))
    assert identity.name == "Liar"
    assert identity.parameters == 56_000_000_000
    assert identity.problem is not None


def test_refuses_an_absurd_count() -> None:
    """A claim of 10^18 weights is no count."""
    key = gguf_key("general.parameter_count", U64, pack("<Q", 10**18))
    identity = identify(gguf_bytes(tensors=1, body=(key,)) + bytes(4))
    assert identity.parameters is None
    assert identity.problem is not None


def test_sees_a_download_that_stopped(tmp_path: Path) -> None:
    """A file shorter than its tensors says how much is missing, and still what it is."""
    data = write_gguf(tmp_path / "m.gguf").read_bytes()
    identity = identify(data[:-1000])
    assert identity.parameters == 2080
    assert identity.problem is not None
    assert "cut short" in identity.problem


@pytest.mark.parametrize(
    "data",
    [
        gguf_bytes(tensors=1 << 60),
        gguf_bytes(keys=1 << 60),
        gguf_bytes(version=77),
        gguf_bytes(keys=1, body=(HUGE,)),
        gguf_bytes(body=(gguf_key("general.name", 8, HUGE),)),
        gguf_bytes(body=(gguf_key("a", 9, pack("<I", 8) + HUGE),)),
        gguf_bytes(body=(gguf_key("a", 9, pack("<I", 10) + HUGE),)),
        gguf_bytes(body=(gguf_key("a", 9, pack("<I", 9) + HUGE),)),
        gguf_bytes(body=(gguf_key("a", 9, pack("<IQ", 8, 3) + HUGE * 3),)),
        gguf_bytes(body=(gguf_key("a", 99, b""),)),
        gguf_bytes(tensors=1, body=(gguf_string(b"w") + pack("<I", 4) + HUGE * 4 + pack("<IQ", 0, 0),), keys=0),
        gguf_bytes(tensors=1, body=(gguf_string(b"w") + pack("<I", 1 << 31),), keys=0),
        b"GGUF\x03",
    ],
)
def test_survives_lies(data: bytes) -> None:
    """Counts and lengths of 2^60 end in a problem."""
    identity = identify(data)
    assert identity.problem is not None
    assert identity.parameters is None


def test_survives_every_cut(valid: bytes) -> None:
    """A file that ends anywhere is a file with a problem."""
    for end in range(5, len(valid) - 10_000):
        assert identify(valid[:end]).problem is not None, end


def test_reads_little_of_a_sparse_giant(tmp_path: Path) -> None:
    """A terabyte of nothing, in strings as long as a gigabyte, is not walked through."""
    path = tmp_path / "giant.gguf"
    body = gguf_key("a", 9, pack("<IQ", 8, 1_000_000) + pack("<Q", 1 << 30))
    path.write_bytes(gguf_bytes(body=(NAME, body)))
    os.truncate(path, 1 << 40)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        identity = FORMAT.identify(FileWindow(descriptor, 1 << 40, BUDGET))
    finally:
        os.close(descriptor)
    assert identity is not None
    assert identity.name == "Liar"
    assert identity.problem is not None


@settings(max_examples=300, deadline=2000)
@given(data=st.data())
def test_survives_mutations(valid: bytes, data: st.DataObject) -> None:
    """Whatever is damaged, the answer is an identity."""
    mutated = data.draw(mutations(valid))
    window = Memory(mutated)
    if FORMAT.recognises(mutated[:64], window.size):
        identity = FORMAT.identify(window)
        assert identity is not None
        assert identity.parameters is None or 0 < identity.parameters <= 10**15
