"""The `model.bin` of CTranslate2, the engine of faster-whisper.

Source: `ModelSpec._serialize` in CTranslate2's `specs/model_spec.py`, `Model::load` in its `src/models/model.cc`.
"""

import re
from math import prod
from struct import Struct

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.attempt import HEADER_TOO_LARGE, trouble
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.sniffer import Format, Identity, Window

VERSIONS = range(2, 8)
"""Those with the name of a specification; what is written today is 6."""
SIZED_FROM = 4
"""Before this version the size of an element stood where its type stands now."""
VARIABLES_LIMIT = 20_000
"""A decoder of a hundred layers has some 1200."""
TYPES = ("F32", "I8", "I16", "I32", "F16", "BF16")
"""By number: `enum class DataType` in `include/ctranslate2/types.h`."""
NAME_BYTES = 48
_HEAD = re.compile(rb"[\x02-\x07]\0\0\0(.)\0([A-Za-z][A-Za-z0-9_]{2,46})\0", re.DOTALL)
_VARIABLE = re.compile(rb"[A-Za-z0-9_./-]{1,500}\0")
_BYTE, _SHORT, _NUMBER = Struct("<B"), Struct("<H"), Struct("<I")
DAMAGED = "a variable of it is damaged"


class Variables:
    """The sums over the variables of a model."""

    __slots__ = ("is_packed", "seen", "types")

    def __init__(self) -> None:
        self.seen = 0
        self.types: dict[str, int] = {}
        self.is_packed = False
        """Whether several weights share one number: how many is not written here."""

    def read(self, cursor: Cursor, version: int) -> None:
        """Walk over the variables; raises `Damaged` with the sums up to there."""
        cursor.take(4)
        count = cursor.number(_NUMBER)
        if not 1 <= count <= VARIABLES_LIMIT:
            raise Damaged("it claims more variables than any model has")
        for _ in range(count):
            name = cursor.take(min(cursor.number(_SHORT), 501))
            shape = [cursor.number(_NUMBER) for _ in range(min(cursor.number(_BYTE), 9))]
            kind, size = cursor.number(_BYTE), cursor.number(_NUMBER)
            if not _VARIABLE.fullmatch(name) or len(shape) > 8:
                raise Damaged(DAMAGED)
            if version >= SIZED_FROM:
                if kind >= len(TYPES):
                    raise Damaged(DAMAGED)
                self._add(name, shape, TYPES[kind])
            else:
                self._add(name, shape, {1: "I8", 2: "I16", 4: "F32"}.get(kind, "?"))
                size *= kind
            self.seen += 1
            cursor.skip(size)

    def _add(self, name: bytes, shape: list[int], kind: str) -> None:
        # Scalars are settings; scales and zero points belong to the weights that they stand beside.
        if not shape or name.endswith((b"_scale\0", b"_zero\0")):
            return
        self.types[kind] = self.types.get(kind, 0) + prod(shape)
        self.is_packed = self.is_packed or (kind == "I32" and len(shape) > 1)
        if sum(self.types.values()) > claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)


class CTranslate2:
    """The format of CTranslate2."""

    name = "ctranslate2"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a version, and the name of a specification that ends where its length says."""
        found = _HEAD.match(head)
        return found is not None and size > 64 and found[1][0] == len(found[2]) + 1

    def identify(self, window: Window) -> Identity | None:
        """The identity from the name of the specification and the variables; `None` where there is no variable."""
        found = _HEAD.match(window.read(0, NAME_BYTES + 8))
        if found is None:
            return None
        variables = Variables()
        problem = trouble(lambda: variables.read(Cursor(window, found.end(), chunk=256), found[0][0]), HEADER_TOO_LARGE)
        if not variables.seen:
            return None
        types = variables.types
        is_counted = problem is None and not variables.is_packed
        return Identity(
            self.name,
            architecture=claims.text(found[2]),
            parameters=claims.parameters(sum(types.values())) if is_counted else None,
            quantization=claims.dominant(types),
            problem=problem,
            tensor_types=claims.most_first(types) if is_counted else (),
        )


FORMAT: Format = CTranslate2()
