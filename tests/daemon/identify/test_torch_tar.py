"""The tar of PyTorch 0.1.1: built by the layout that torch still loads, and with every lie about it."""

import io
import pickle
import tarfile
from pathlib import Path
from struct import pack

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, mutations

from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.identify.torch_tar import FORMAT

WEIGHTS = Identity("pytorch-tar", None, None, 6, "F32", tensor_types=(("F32", 6),))


def tar(members: dict[str, bytes]) -> bytes:
    """A tar of these members."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:", format=tarfile.PAX_FORMAT) as target:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            target.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def tensor(key: int, storage: int, sizes: tuple[int, ...]) -> bytes:
    """A row of the table of tensors."""
    described = (
        b"\x80\x02" + pickle.dumps(key, 2)[2:-1] + pickle.dumps(storage, 2)[2:-1] + b"ctorch\nFloatTensor\n\x87."
    )
    strides = tuple(1 for _ in sizes)
    return described + pack(f"<i4x{len(sizes)}q{len(sizes)}qq", len(sizes), *sizes, *strides, 0)


class Reference:
    """A tensor by its key, as the pickle of the object has it."""


def pickled(value: object) -> bytes:
    """The object's pickle, in which references are persistent."""
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, 2)
    pickler.persistent_id = lambda one: 7 if isinstance(one, Reference) else None  # type: ignore[method-assign]
    pickler.dump(value)
    return stream.getvalue()


def whole(
    *, tensors: bytes | None = None, count: object = 1, value: object = None, order: tuple[str, ...] | None = None
) -> bytes:
    """A file of one tensor of 2 × 3 weights, or of what is given in its place."""
    storage = b"\x80\x02K\x05U\x03cpuctorch\nFloatStorage\n\x87."
    members = {
        "sys_info": pickle.dumps({"little_endian": True}, 2),
        "pickle": pickled({"w": Reference()} if value is None else value),
        "tensors": pickle.dumps(count, 2) + (tensor(7, 5, (2, 3)) if tensors is None else tensors),
        "storages": pickle.dumps(1, 2) + storage + pack("<q6f", 6, *range(6)) + pickle.dumps([], 2),
    }
    return tar({name: members[name] for name in order or tuple(members)})


def identify(data: bytes) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def test_torch_loads_what_the_test_builds(tmp_path: Path) -> None:
    """The layout is that of the format: torch itself reads it."""
    path = tmp_path / "old.pt"
    path.write_bytes(whole())
    loaded = torch.load(path, weights_only=False)
    assert loaded["w"].shape == (2, 3)


def test_says_what_a_state_dictionary_is() -> None:
    """The table of tensors has sizes and types."""
    assert identify(whole()) == WEIGHTS


def test_the_order_of_the_members_is_free() -> None:
    """A loader asks for its members by name."""
    assert identify(whole(order=("storages", "tensors", "pickle", "sys_info"))) == WEIGHTS


def test_shared_weights_count_once() -> None:
    """Two tensors of one size over one storage are the same weights."""
    assert identify(whole(tensors=tensor(7, 5, (2, 3)) + tensor(8, 5, (6,)), count=2)) == WEIGHTS


def test_names_the_class_of_a_whole_module() -> None:
    """The classes stand in the pickle of the object."""
    identity = identify(whole(value=torch.nn.ReLU()))
    assert identity is not None
    assert identity.architecture == "ReLU"


@pytest.mark.parametrize(
    "members",
    [
        {"readme.txt": b"x"},
        {"pickle": pickle.dumps(1)},
        {"pickle": pickle.dumps(1), "tensors": b"x", "notes": b"x"},
        {"a/sys_info": b"x", "a/pickle": b"x", "a/tensors": b"x", "a/storages": b"x"},
    ],
)
def test_leaves_other_archives_alone(members: dict[str, bytes]) -> None:
    """All four members make the format."""
    assert identify(tar(members)) is None


def test_survives_every_cut() -> None:
    """A download that stopped is a file with a problem, from the second member on."""
    data = whole()
    for end in range(0, len(data.rstrip(b"\0")), 100):
        identity = identify(data[:end])
        assert identity is None or identity.problem is not None, end
    identity = identify(data[: data.index(b"storages")])
    assert identity is not None


@pytest.mark.parametrize(
    ("tensors", "count"),
    [
        (b"", 10**9),
        (b"", -1),
        (b"", "many"),
        (tensor(7, 5, (2, 3)), 2),
        (tensor(7, 5, (2**62, 2**62)), 1),
        (tensor(7, 5, (-1, 3)), 1),
        (tensor(7, 5, (1,) * 65), 1),
        (pickle.dumps((1, 2, 3), 2) + bytes(100), 1),
        (b"\x80\x02(" + b"N" * 1000, 1),
        (b"\x80\x02\x8e" + pack("<Q", 1 << 60), 1),
        (b"".join(tensor(7, key, (1 << 40,)) for key in range(20_000)), 20_000),
    ],
)
def test_lies_are_problems(tensors: bytes, count: object) -> None:
    """Counts, sizes and pickles that cannot be; all end in time."""
    data = whole(tensors=tensors, count=count)
    identity = within_limits(lambda: identify(data))
    assert identity is not None
    assert (identity.problem is not None, identity.parameters) == (True, None)


@pytest.mark.parametrize("value", [b"x" * (20 << 20), list(range(400_000))], ids=["long", "many"])
def test_a_large_object_is_small(value: object) -> None:
    """The object's pickle is walked over within the limits."""
    data = whole(value=value)
    identity = within_limits(lambda: identify(data))
    assert identity is not None
    assert identity.parameters == 6


def test_many_tensors_are_small() -> None:
    """A table of twenty thousand tensors is read in time."""
    data = whole(tensors=b"".join(tensor(7, key, (2, 3)) for key in range(20_000)), count=20_000)
    identity = within_limits(lambda: identify(data))
    assert identity is not None
    assert identity.parameters == 120_000


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
def test_survives_mutations(data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(whole())))
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
