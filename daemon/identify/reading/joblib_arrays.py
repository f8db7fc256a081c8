"""The arrays that joblib writes between the opcodes of a pickle, as far as one must know them to step over them.

Source: `NumpyArrayWrapper` in joblib's `numpy_pickle.py` (the bytes follow the BUILD of the wrapper), and
`arraydescr_reduce` in numpy's `descriptor.c` (how a type is pickled).
"""

import re

from modelwarden.daemon.identify.reading.damage import Damaged

ITEM_BYTES_MAX = 1 << 31
ARRAY_BYTES_MAX = 1 << 62
DIMENSIONS_MAX = 64
"""numpy's own limit (NPY_MAXDIMS)."""
HAS_OBJECTS = 1
"""NPY_ITEM_REFCOUNT among the flags of a type."""
NO_ARRAY = "an array in it has no size"
WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
WRAPPER_KEYS = frozenset(("shape", "dtype", "numpy_array_alignment_bytes"))
_CODE = re.compile(r"[?a-zA-Z]([0-9]{0,10})")


class ArrayType:
    """A numpy type: the bytes of one element, and whether elements are Python objects."""

    __slots__ = ("has_objects", "size")

    def __init__(self, code: object) -> None:
        found = _CODE.fullmatch(code) if isinstance(code, str) else None
        self.size = int(found[1] or 0) if found is not None else 0
        self.has_objects = found is not None and found[0].startswith("O")

    def build(self, state: object) -> None:
        """Take the state that a structured type, or one of text, has beside its code."""
        if isinstance(state, tuple) and len(state) >= 8:
            size, flags = state[5], state[7]
            if isinstance(size, int) and size > 0:
                self.size = size
            if isinstance(flags, int):
                self.has_objects = self.has_objects or bool(flags & HAS_OBJECTS)


class Record(dict[str, object]):
    """A dictionary in a pickle, of which only the keys of a wrapper are kept."""

    __slots__ = ()

    def take(self, items: list[object]) -> None:
        """Take keys and values as they lie on the stack."""
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, str) and key in WRAPPER_KEYS:
                self[key] = value


class Wrapper:
    """What stands for an array in front of the array's bytes."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = Record()

    @property
    def is_padded(self) -> bool:
        """Whether a byte that tells of padding stands in front of the elements."""
        return self.state.get("numpy_array_alignment_bytes") is not None

    @property
    def has_objects(self) -> bool:
        """Whether a pickle of its own follows in place of the elements."""
        kind = self.state.get("dtype")
        return isinstance(kind, ArrayType) and kind.has_objects

    def length(self) -> int:
        """The bytes that the elements take; raises `Damaged` when they are not said, or absurd."""
        kind, shape = self.state.get("dtype"), self.state.get("shape")
        if not isinstance(kind, ArrayType) or not isinstance(shape, tuple) or len(shape) > DIMENSIONS_MAX:
            raise Damaged(NO_ARRAY)
        length = kind.size
        if not 0 < length <= ITEM_BYTES_MAX:
            raise Damaged(NO_ARRAY)
        for size in shape:
            if not isinstance(size, int) or size < 0:
                raise Damaged(NO_ARRAY)
            length *= size
            if length > ARRAY_BYTES_MAX:
                raise Damaged(NO_ARRAY)
        return length
