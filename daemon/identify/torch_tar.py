"""What the first PyTorch wrote (0.1.1): a tar of four members, in which tensors and storages have their own files.

Source: `legacy_load` in `torch/serialization.py`, which reads it to this day.
"""

from math import prod
from struct import Struct

from modelwarden.daemon.identify.reading import tar
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.part import Part
from modelwarden.daemon.identify.reading.pickle_walk import Walk
from modelwarden.daemon.identify.reading.tensor_pickle import Name, Tensor
from modelwarden.daemon.identify.reading.torch_identity import identity
from modelwarden.daemon.identify.reading.torch_weights import ELEMENTS, Weights
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

MEMBERS = frozenset(("sys_info", "pickle", "tensors", "storages"))
TENSORS_LIMIT = 20_000
SMALL = 100
"""Opcodes of the pickle in front of each tensor: it has about 10."""
DIMENSIONS_MAX = 64
DIMENSIONS = Struct("<i4x")
BAD_TENSOR = "its table of tensors is damaged"


class TorchTar:
    """The oldest format of PyTorch."""

    name = "pytorch-tar"

    def recognises(self, head: bytes, size: int) -> bool:
        """By one of its four members at the start of a tar."""
        return size >= tar.BLOCK and tar.may_begin(head) and head.partition(b"\0")[0].decode("ascii") in MEMBERS

    def identify(self, window: Window) -> Identity | None:
        """The identity from the table of tensors and the classes that the object names."""
        found: dict[str, Part] = {}
        weights, complete, problem = Weights(), False, None
        try:
            for entry in tar.entries(window):
                if entry.name in MEMBERS:
                    found.setdefault(entry.name, Part(window, entry.offset, entry.size, entry.name))
            if not found.keys() >= MEMBERS:
                return None
            _read_tensors(found["tensors"], weights)
            complete = True
            _see_names(found["pickle"], weights)
        except Damaged as damage:
            problem = str(damage)
        except BudgetSpentError:
            problem = "it is larger than an inspection reads"
        if len(found) < 2:
            return None
        return identity(self.name, window, weights, complete=complete, problem=problem)


def _read_tensors(part: Part, weights: Weights) -> None:
    """Add up the tensors; those that share a storage count once if they are of one size."""
    cursor = Cursor(part)
    count = Walk(cursor, SMALL).finish()
    if not isinstance(count, int) or not 0 <= count <= TENSORS_LIMIT:
        raise Damaged(BAD_TENSOR)
    seen: set[tuple[int, int]] = set()
    for _ in range(count):
        described = Walk(cursor, SMALL).finish()
        dimensions = cursor.number(DIMENSIONS)
        if not 0 <= dimensions <= DIMENSIONS_MAX:
            raise Damaged(BAD_TENSOR)
        sizes = Struct(f"<{dimensions}q").unpack(cursor.take(8 * dimensions))
        cursor.skip(8 * dimensions + 8)
        match described:
            case (int(), int() as storage, Name() as kind) if all(size >= 0 for size in sizes):
                if (storage, prod(sizes)) not in seen:
                    seen.add((storage, prod(sizes)))
                    weights.count(_element(kind), prod(sizes))
            case _:
                raise Damaged(BAD_TENSOR)


def _element(kind: Name) -> str:
    """From `torch.FloatTensor`."""
    last = kind.rpartition(".")[2]
    name, _bytes = ELEMENTS.get(last.replace("Tensor", "Storage"), (last, 0))
    return name


def _see_names(part: Part, weights: Weights) -> None:
    for found in Walk(Cursor(part)).found():
        if not isinstance(found, Tensor):
            weights.evidence.see(found)


FORMAT: Format = TorchTar()
