"""PyTorch archives: real files give their identity, hostile ones a problem; nothing is unpickled."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from struct import pack

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import Memory, Shelf, mutations, write_torch, write_torchscript
from tests.real_models import real_model

from modelwarden.daemon.identify.sniffer import Identity, Shard
from modelwarden.daemon.identify.torch_zip import FORMAT

SIX = Identity("pytorch-zip", "m", None, 6, "F32", tensor_types=(("F32", 6),))


class Network(torch.nn.Module):
    """A network of one's own: 2 × 3 + 3 weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 3)


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small real file."""
    return write_torch(tmp_path_factory.mktemp("torch") / "tiny.pt").read_bytes()


def identify(data: bytes, size: int | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, size=size)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive in memory, with the version without which torch takes none for its own."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as target:
        for name, data in members.items():
            target.writestr(name, data)
        if "m/data.pkl" in members:
            target.writestr("m/version", "3\n")
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
    assert identify(valid) == Identity("pytorch-zip", "tiny", None, 2020, "F32", tensor_types=(("F32", 2020),))


def test_tells_half_precision(tmp_path: Path) -> None:
    """The storages' type is the quantization, and a name that everybody uses is none."""
    path = write_torch(tmp_path / "pytorch_model.bin", half=True)
    assert identify(path.read_bytes()) == Identity(
        "pytorch-zip", None, None, 2020, "F16", tensor_types=(("F16", 2020),)
    )


def test_tells_torchscript(tmp_path: Path) -> None:
    """An archive with code is TorchScript, with the class of its module as architecture."""
    path = write_torchscript(tmp_path / "script.pt")
    assert identify(path.read_bytes()) == Identity(
        "torchscript", "script", "Linear", 2020, "F32", tensor_types=(("F32", 2020),)
    )


def test_is_not_run() -> None:
    """A pickle that would run a command is walked over, not obeyed."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('the pickle ran')",)

    data = archive({"evil/data.pkl": pickle.dumps(Evil()), "evil/version": b"3"})
    assert identify(data) == Identity("pytorch-zip", "evil")


OTHERS: dict[str, dict[str, bytes]] = {
    "a text": {"readme.txt": b"x" * 50},
    "a deeper pickle": {"a/b/data.pkl": b"x" * 50},
    "a document": {"word/document.xml": b"<x/>" * 20},
    "sources with a pickle": {"project-main/data.pkl": pickle.dumps([1, 2]), "project-main/setup.py": b"x"},
    "sources with a version": {"project-main/version": b"1.2.3\n", "project-main/setup.py": b"x"},
    "keras": {"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n" * 9},
    "numpy": {"weight.npy": b"\x93NUMPY\1\0" + bytes(90)},
    "dduf": {"model_index.json": b"{}", "unet/config.json": b"{}", "unet/model.safetensors": bytes(50)},
}


@pytest.mark.parametrize("members", OTHERS.values(), ids=OTHERS)
def test_leaves_other_archives_alone(members: dict[str, bytes]) -> None:
    """A zip archive is no model by itself, whole or cut short anywhere."""
    data = archive(members)
    assert [end for end in range(4, len(data) + 1) if identify(data[:end]) is not None] == []


def test_a_damaged_table_hides_no_weights() -> None:
    """Torch reads what it needs of an archive; so a table that breaks off later is no reason to see no model."""
    data = archive({"m/data.pkl": tensor_pickle(6, (6,)), "m/data/0": bytes(24)})
    last = data.rfind(b"PK\1\2")
    identity = identify(data[:last] + b"PK??" + data[last + 4 :])
    assert identity is not None
    assert identity.name == "m"
    assert identity.problem == "the archive's table of contents is damaged"


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("pytorch_model-00001-of-00003", None),
        ("consolidated.00", None),
        ("checkpoint-500", None),
        ("epoch=12", None),
        ("tiny-00001-of-00003", "tiny"),
        ("resnet18-5c106cde", "resnet18-5c106cde"),
    ],
)
def test_takes_no_common_name(root: str, name: str | None) -> None:
    """Numbers of parts and of steps make a name that everybody uses no more telling."""
    identity = identify(archive({f"{root}/data.pkl": tensor_pickle(6, (6,)), f"{root}/version": b"3"}))
    assert identity is not None
    assert identity.name == name


def test_tells_the_part_by_the_name() -> None:
    """One of several files counts its own weights, and says which it is."""
    window = Memory(archive({"m/data.pkl": tensor_pickle(6, (6,))}), name="pytorch_model-00002-of-00003.bin")
    identity = FORMAT.identify(window)
    assert identity is not None
    assert identity.shard == Shard(2, 3)
    assert identity.parameters == 6


CONFIG = json.dumps(
    {
        "architectures": ["BertModel"],
        "_name_or_path": "acme/bert-tiny",
        "quantization_config": {"quant_method": "gptq", "bits": 4},
    }
).encode()


def test_asks_the_configuration_beside_it(valid: bytes) -> None:
    """What a file of transformers does not say itself, config.json says; what it says itself stands."""
    pickled = archive({"pytorch_model/data.pkl": tensor_pickle(6, (6,)), "pytorch_model/version": b"3"})
    beside = Shelf({"config.json": CONFIG})
    identity = FORMAT.identify(Memory(pickled, name="pytorch_model.bin", beside=beside))
    assert identity == Identity(
        "pytorch-zip", "acme/bert-tiny", "BertModel", 6, "gptq-4bit", tensor_types=(("F32", 6),)
    )
    named = FORMAT.identify(Memory(valid, name="tiny.pt", beside=beside))
    assert named is not None
    assert named.name == "tiny"


def test_the_configuration_is_not_of_the_optimizer() -> None:
    """What a trainer leaves in the same folder is not the model that config.json describes."""
    data = archive({"optimizer/data.pkl": tensor_pickle(6, (6,)), "optimizer/version": b"3"})
    identity = FORMAT.identify(Memory(data, name="optimizer.pt", beside=Shelf({"config.json": CONFIG})))
    assert identity == Identity("pytorch-zip", None, None, 6, "F32", tensor_types=(("F32", 6),))


def test_names_the_outermost_module(tmp_path: Path) -> None:
    """A file that holds a module and not only its weights names the class of the network, not that of a layer."""
    path = tmp_path / "whole.pt"
    torch.save({"epoch": 3, "model": Network()}, path)
    identity = identify(path.read_bytes())
    assert identity is not None
    assert (identity.architecture, identity.parameters) == ("Network", 9)


def test_reads_a_model_that_nobody_here_made() -> None:
    """The voice detector of Silero, as its package ships it."""
    identity = identify(real_model("silero_vad", "silero_vad/data/silero_vad.jit"))
    assert identity is not None
    assert (identity.format, identity.architecture, identity.problem) == ("torchscript", "VADRNNJITMerge", None)


def test_reads_a_compressed_pickle() -> None:
    """A repacked archive is read too."""
    data = archive({"m/data.pkl": tensor_pickle(6, (2, 3)), "m/data/0": bytes(100)}, zipfile.ZIP_DEFLATED)
    assert identify(data) == SIX


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
    assert identify(data[:-2] + pack("<H", 60_000) + bytes(60_000)) == SIX


def test_survives_a_table_of_many_members() -> None:
    """Half a million empty members are not all listed."""
    entry = pack("<4s6H3L5H2L", b"PK\1\2", *(0,) * 16)
    end = pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, len(entry) * 500_000, 0, 0)
    start = b"PK\3\4" + bytes(22) + pack("<HH", 10, 4) + b"m/data.pklFB\0\0"
    identity = identify(start + entry * 500_000 + end)
    assert identity is not None
    assert "members" in (identity.problem or "")


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(valid: bytes, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(valid)))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
