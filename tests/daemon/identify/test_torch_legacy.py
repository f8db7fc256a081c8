"""PyTorch's format before 1.6: real files give their identity, hostile ones a problem; nothing is unpickled."""

import pickle
from io import BytesIO
from struct import pack

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, Shelf, mutations
from tests.real_models import real_model

from modelwarden.daemon.identify.reading.torch_stream import PROTOCOL
from modelwarden.daemon.identify.sniffer import Identity, Shard
from modelwarden.daemon.identify.torch_legacy import FORMAT

MAGIC = 0x1950A86A20F9469CFC6C
STATE = (("F32", 63),)


class Network(torch.nn.Module):
    """A network of one's own: 9 × 7 weights, which it has under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(9, 7, bias=False)
        self.tied = self.layer


def saved(value: object, protocol: int = 2) -> bytes:
    """A legacy file as torch writes it."""
    stream = BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=False, pickle_protocol=protocol)
    return stream.getvalue()


def file(body: bytes, *, protocol: object = PROTOCOL) -> bytes:
    """A legacy file with any pickle for its object, and without storages."""
    return (
        b"".join(pickle.dumps(value, 2) for value in (MAGIC, protocol, {"little_endian": True}))
        + body
        + pickle.dumps([], 2)
    )


def identify(data: bytes, name: str = "", beside: Shelf | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name, beside=beside)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


@pytest.fixture(scope="module")
def valid() -> bytes:
    """A state dictionary."""
    return saved(Network().state_dict())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_says_what_a_state_dictionary_is(protocol: int) -> None:
    """Weights that have two names count once, whatever protocol the pickles have."""
    data = saved(Network().state_dict(), protocol)
    assert identify(data) == Identity("pytorch-legacy", None, None, 63, "F32", tensor_types=STATE)


def test_tells_types_apart() -> None:
    """The type that most weights have is the quantization."""
    identity = identify(saved({"a": torch.zeros(5, dtype=torch.float16), "b": torch.zeros(3, dtype=torch.int64)}))
    assert identity is not None
    assert (identity.quantization, identity.tensor_types) == ("F16", (("F16", 5), ("I64", 3)))


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_names_the_class_of_a_whole_module() -> None:
    """The outermost class that PyTorch marked as a module, not those of its layers."""
    identity = identify(saved({"epoch": 3, "model": Network()}))
    assert identity == Identity("pytorch-legacy", None, "Network", 63, "F32", tensor_types=STATE)


@pytest.mark.parametrize("version", ["v0.0", "v0.1"])
def test_reads_models_that_nobody_here_made(version: str) -> None:
    """The perceptual metric of LPIPS, as its package ships it."""
    identity = identify(real_model("lpips", f"lpips/weights/{version}/alex.pth"), "alex.pth")
    assert identity == Identity("pytorch-legacy", None, None, 1152, "F32", tensor_types=(("F32", 1152),))


def test_asks_the_configuration_beside_it(valid: bytes) -> None:
    """Old files of transformers have their facts in config.json; one of several says which."""
    beside = Shelf({"config.json": b'{"architectures": ["BertModel"], "_name_or_path": "bert-base-cased"}'})
    identity = identify(valid, "pytorch_model-00001-of-00002.bin", beside)
    assert identity == Identity(
        "pytorch-legacy", "bert-base-cased", "BertModel", 63, "F32", tensor_types=STATE, shard=Shard(1, 2)
    )


def test_is_not_run() -> None:
    """A pickle that would end the process is walked over, not obeyed."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('the pickle ran')",)

    assert identify(file(pickle.dumps(Evil()))) == Identity("pytorch-legacy")


@pytest.mark.parametrize("data", [b"", b"\x80\x02", pickle.dumps(MAGIC + 1, 2) + b"x" * 99, pickle.dumps([MAGIC], 2)])
def test_leaves_other_pickles_alone(data: bytes) -> None:
    """Only the whole magic number makes it this format."""
    assert identify(data) is None


@pytest.mark.parametrize("protocol", [1000, "x", None])
def test_knows_one_protocol(protocol: object) -> None:
    """Another protocol is none that torch would load."""
    identity = identify(file(pickle.dumps({}), protocol=protocol))
    assert identity is not None
    assert "protocol" in (identity.problem or "")


def test_survives_every_cut(valid: bytes) -> None:
    """A download that stopped is a file with a problem."""
    for end in range(20, len(valid)):
        identity = identify(valid[:end])
        assert identity is not None
        assert identity.problem is not None, end


REFERENCE = b"ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\nFloatStorage\nU\1kU\3cpu%sNtQK\0(%st)\x89NtR"


@pytest.mark.parametrize(
    "body",
    [
        b"\x80\x02"
        + REFERENCE % (b"\x8a\x09" + pack("<Q", 1 << 60) + b"\0", b"\x8a\x09" + pack("<Q", 1 << 60) + b"\0"),
        b"\x80\x02\x8b" + pack("<i", 2**31 - 1) + bytes(100),
        b"\x80\x02\x8e" + pack("<Q", 2**63),
        b"\x80\x02" + b"(" * 2_000_000,
        b"\x80\x02N" + b"2\x86" * 300_000 + b".",
        b"\x80\x02" + b"".join(REFERENCE % (b"K\7", b"K\7") for _ in range(20_000)),
    ],
    ids=["huge tensor", "long number", "huge bytes", "marks", "tuple of tuples", "many tensors"],
)
def test_bombs_are_small(body: bytes) -> None:
    """What claims to be huge, or is, ends in time with a problem."""
    identity = within_limits(lambda: identify(file(body)))
    assert identity is not None
    assert identity.problem is not None


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(valid: bytes, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(valid)))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
