"""PyTorch's zip archives: what `torch.save` has written since 1.6, TorchScript among them.

Source: `torch/serialization.py`, `caffe2/serialize/inline_container.cc`; the rules by which members
tell the variants apart are those of fickling's `polyglot.py`.
"""

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.tensor_pickle import Tensor, walk
from modelwarden.daemon.identify.reading.zip_directory import Member, members, read_member
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

PICKLE_LIMIT = 8 << 20
"""The longest `data.pkl` that is read, in bytes: one of a thousand tensors has a few hundred KiB."""
ELEMENTS = {
    "DoubleStorage": ("F64", 8),
    "FloatStorage": ("F32", 4),
    "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8),
    "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2),
    "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
    "QInt8Storage": ("I8", 1),
    "QUInt8Storage": ("U8", 1),
    "QInt32Storage": ("I32", 4),
    "ComplexFloatStorage": ("C64", 8),
    "ComplexDoubleStorage": ("C128", 16),
    "float8_e4m3fn": ("F8_E4M3", 1),
    "float8_e5m2": ("F8_E5M2", 1),
    "float4_e2m1fn_x2": ("F4", 1),
    "uint16": ("U16", 2),
    "uint32": ("U32", 4),
    "uint64": ("U64", 8),
}
"""By storage class or dtype: the name in the census, the bytes of an element."""
COMMON_NAMES = frozenset(
    ("archive", "checkpoint", "data", "model", "model_state", "pytorch_model", "state_dict", "weights")
)
"""Archive names that say nothing: what `torch.save` takes from the usual file names."""


class Contents:
    """What a table of contents says of the variant."""

    __slots__ = ("data", "root", "script")

    def __init__(self) -> None:
        self.data: Member | None = None
        self.root = ""
        self.script = False

    def add(self, member: Member) -> None:
        """Take one member; the first `<root>/data.pkl` decides the root."""
        root, slash, rest = member.name.partition("/")
        if not slash:
            return
        if rest == "data.pkl" and self.data is None:
            self.data, self.root = member, root
        elif rest == "constants.pkl" or rest.startswith("code/"):
            self.script = True


class Weights:
    """The sums over the tensors of one pickle; weights that two tensors share count once."""

    __slots__ = ("module", "parameters", "seen", "stored", "types")

    def __init__(self) -> None:
        self.module: str | None = None
        self.parameters = 0
        self.types: dict[str, int] = {}
        self.stored = 0
        """Bytes that the storages take."""
        self.seen: dict[str, int] = {}
        """By storage: the weights counted of it."""

    def read(self, pickle: bytes) -> None:
        """Add up the tensors; raises `Damaged` with the sums up to there."""
        for found in walk(pickle):
            if isinstance(found, Tensor):
                self._add(found)
            elif self.module is None and found.startswith("__torch__."):
                self.module = found.rpartition(".")[2]

    def _add(self, tensor: Tensor) -> None:
        name, size = ELEMENTS.get(tensor.kind, (tensor.kind, 0))
        key, elements = tensor.storage.key, tensor.storage.elements
        before = self.seen.get(key)
        if before is None:
            before = 0
            self.stored += elements * (1 if tensor.storage.kind == "UntypedStorage" else size)
        # Several tensors may be views of one storage: together they have no more weights than it.
        added = min(tensor.weights, max(0, elements - before))
        if tensor.weights == before:
            added = 0  # the same weights under a second name
        self.seen[key] = before + added
        self.parameters += added
        self.types[name] = self.types.get(name, 0) + added
        if self.parameters > claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)


class TorchZip:
    """The zip format of PyTorch; TorchScript archives are reported under their own name."""

    name = "pytorch-zip"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a local file header at the start: torch looks nowhere else."""
        return head[:4] == b"PK\3\4" and size > 30

    def identify(self, window: Window) -> Identity | None:
        """The identity from the table of contents and `data.pkl`; `None` for any other zip archive."""
        contents, weights = Contents(), Weights()
        begins_like_torch = _begins_like_torch(window)
        complete, problem = False, None
        try:
            for member in members(window):
                contents.add(member)
            if contents.data is None:
                return None
            weights.read(read_member(window, contents.data, PICKLE_LIMIT))
            complete = True
            if weights.stored > window.size:
                problem = claims.cut_short(window.size, weights.stored)
        except Damaged as damage:
            problem = str(damage)
        except BudgetSpentError:
            problem = "it is larger than an inspection reads"
        if contents.data is None and not begins_like_torch:
            return None
        return Identity(
            "torchscript" if contents.script else self.name,
            name=_name(contents.root),
            architecture=claims.text(weights.module),
            parameters=claims.parameters(weights.parameters) if complete else None,
            quantization=claims.dominant(weights.types),
            problem=problem,
        )


def _begins_like_torch(window: Window) -> bool:
    """Whether the first member of an archive without a usable table of contents is one that torch writes."""
    head = window.read(0, 30 + 256)
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return name.partition(b"/")[2] in {b"data.pkl", b"version", b"byteorder", b".format_version", b"data/0"}


def _name(root: str) -> str | None:
    return None if root.lower() in COMMON_NAMES else claims.text(root)


FORMAT: Format = TorchZip()
