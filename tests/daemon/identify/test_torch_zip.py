"""PyTorch archives: real files give their identity, hostile ones a problem; nothing is unpickled."""

import io
import pickle
import zipfile
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import Memory, mutations, write_torch, write_torchscript

from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.tensor_pickle import walk
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.identify.torch_zip import FORMAT


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small real file."""
    return write_torch(tmp_path_factory.mktemp("torch") / "tiny.pt").read_bytes()


def identify(data: bytes, size: int | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive in memory."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


def tensor_pickle(elements: int, shape: tuple[int, ...]) -> bytes:
    """A data.pkl with one tensor, of any claimed size."""

    def number(value: int) -> bytes:
        return pickle.dumps(value, 2)[2:-1]

    def text(value: str) -> bytes:
        return b"X" + pack("<I", len(value)) + value.encode()

    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(elements) + b"tQ"
    sizes = b"(" + b"".join(map(number, shape)) + b"t"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + sizes + b")\x89Nt" + b"R"
    return b"\x80\x02}" + text("w") + call + b"s."


def test_says_what_a_state_dictionary_is(valid: bytes) -> None:
    """Weights that have two names count once; the archive's name is that of the first file."""
    assert identify(valid) == Identity("pytorch-zip", "tiny", None, 2020, "F32")


def test_tells_half_precision(tmp_path: Path) -> None:
    """The storages' type is the quantization, and a name that everybody uses is none."""
    path = write_torch(tmp_path / "pytorch_model.bin", half=True)
    assert identify(path.read_bytes()) == Identity("pytorch-zip", None, None, 2020, "F16")


def test_tells_torchscript(tmp_path: Path) -> None:
    """An archive with code is TorchScript, with the class of its module as architecture."""
    path = write_torchscript(tmp_path / "script.pt")
    assert identify(path.read_bytes()) == Identity("torchscript", "script", "Linear", 2020, "F32")


def test_is_not_run() -> None:
    """A pickle that would run a command is walked over, not obeyed."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('the pickle ran')",)

    data = archive({"evil/data.pkl": pickle.dumps(Evil()), "evil/version": b"3"})
    assert identify(data) == Identity("pytorch-zip", "evil")


@pytest.mark.parametrize(
    "members", [{"readme.txt": b"x" * 50}, {"a/b/data.pkl": b"x" * 50}, {"word/document.xml": b"<x/>" * 20}]
)
def test_leaves_other_archives_alone(members: dict[str, bytes]) -> None:
    """A zip archive is no model by itself."""
    assert identify(archive(members)) is None


def test_reads_a_compressed_pickle() -> None:
    """A repacked archive is read too."""
    data = archive({"m/data.pkl": tensor_pickle(6, (2, 3)), "m/data/0": bytes(100)}, zipfile.ZIP_DEFLATED)
    assert identify(data + b"") == Identity("pytorch-zip", "m", None, 6, "F32")


def test_stops_at_a_bomb() -> None:
    """A pickle that unpacks to 100 MB is not unpacked."""
    identity = identify(archive({"m/data.pkl": bytes(100 << 20)}, zipfile.ZIP_DEFLATED))
    assert identity is not None
    assert "larger than an inspection reads" in (identity.problem or "")


def test_stops_at_a_bomb_that_lies(valid: bytes) -> None:
    """The limit holds for what comes out, whatever the table says of it."""
    data = bytearray(archive({"m/data.pkl": bytes(100 << 20)}, zipfile.ZIP_DEFLATED))
    table = data.rfind(b"PK\1\2")
    data[table + 24 : table + 28] = pack("<I", 10)
    identity = identify(bytes(data))
    assert identity is not None
    assert "larger than an inspection reads" in (identity.problem or "")


@pytest.mark.parametrize("elements", [10**12, 2**60, 10**30])
def test_believes_no_absurd_storage(elements: int) -> None:
    """A storage that is larger than the file, or than any model, is a problem."""
    identity = identify(archive({"m/data.pkl": tensor_pickle(elements, (elements,)), "m/data/0": b""}))
    assert identity is not None
    assert identity.problem is not None
    assert identity.parameters in {None, 10**12}


def test_expanded_tensor_has_the_weights_of_its_storage() -> None:
    """A view that repeats one weight a million times is one weight."""
    identity = identify(archive({"m/data.pkl": tensor_pickle(1, (1000, 1000)), "m/data/0": bytes(4)}))
    assert identity is not None
    assert (identity.parameters, identity.problem) == (1, None)


def test_survives_every_cut(valid: bytes) -> None:
    """A download that stopped is a file with a problem."""
    for end in range(31, len(valid), 7):
        identity = identify(valid[:end])
        assert identity is None or identity.problem is not None, end
    identity = identify(valid[: len(valid) // 2])
    assert identity is not None


def test_finds_the_table_behind_a_comment(valid: bytes) -> None:
    """An archive may end in a comment of 64 KiB."""
    data = archive({"m/data.pkl": tensor_pickle(6, (6,)), "m/data/0": bytes(24)})
    assert identify(data[:-2] + pack("<H", 60_000) + bytes(60_000)) == Identity("pytorch-zip", "m", None, 6, "F32")


def test_survives_a_table_of_many_members() -> None:
    """Half a million empty members are not all listed."""
    entry = pack("<4s6H3L5H2L", b"PK\1\2", *(0,) * 16)
    end = pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, len(entry) * 500_000, 0, 0)
    identity = identify(b"PK\3\4" + bytes(22) + pack("<HH", 10, 0) + b"m/data.pkl" + entry * 500_000 + end)
    assert identity is not None
    assert "members" in (identity.problem or "")


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(valid: bytes, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(valid)))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15


OPCODES = st.sampled_from(
    [bytes([code]) for code in b"(t\x85\x86)RQ20lde\x93\x94sb\x81ou1."]
    + [b"q\0", b"h\0", b"K\7", b"X\1\0\0\0a", b"ctorch._utils\n_rebuild_tensor_v2\n", b"S'\\d'\n"]
)


@settings(max_examples=400, deadline=2000)
@given(parts=st.lists(OPCODES | st.binary(max_size=4), max_size=40))
def test_walks_over_any_pickle(parts: list[bytes]) -> None:
    """A program of any opcodes gives facts or a problem."""
    try:
        for _ in walk(b"".join(parts)):
            pass
    except Damaged:
        pass


def test_walk_is_bounded() -> None:
    """A pickle of millions of opcodes is given up."""
    with pytest.raises(Damaged, match="longer than an inspection reads"):
        for _ in walk(b"]" + b"0]" * 1_000_000 + b"."):
            pass
