"""What the tensors of a pickle add up to, for every container in which PyTorch's pickles come."""

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.frameworks import Evidence
from modelwarden.daemon.identify.reading.pickle_walk import Walk
from modelwarden.daemon.identify.reading.tensor_pickle import Tensor

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


class Weights:
    """The sums over the tensors of one pickle; weights that two tensors share count once."""

    __slots__ = ("evidence", "parameters", "seen", "stored", "types")

    def __init__(self) -> None:
        self.evidence = Evidence()
        """With the class of the outermost module, in files that hold a module and not only its weights."""
        self.parameters = 0
        self.types: dict[str, int] = {}
        self.stored = 0
        """Bytes that the storages take."""
        self.seen: dict[str, int] = {}
        """By storage: the weights counted of it."""

    def read(self, walk: Walk) -> None:
        """Add up the tensors; raises `Damaged` with the sums up to there."""
        for found in walk.found():
            if isinstance(found, Tensor):
                self._add(found)
            else:
                self.evidence.see(found)

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
        self.count(name, added)

    def count(self, kind: str, weights: int) -> None:
        """Count weights of one type; raises `Damaged` beyond what any model has."""
        self.parameters += weights
        self.types[kind] = self.types.get(kind, 0) + weights
        if self.parameters > claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)
