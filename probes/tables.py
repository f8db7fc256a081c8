"""The tables that the kernel side shares with user space: rows, limits and values, declared once and rendered as C."""

import struct
from dataclasses import dataclass
from enum import IntEnum, StrEnum, auto

from modelwarden.probes.candidate import LIBRARY_HEAD_BYTES

_CODES = {"u32": "I", "u64": "Q"}


@dataclass(frozen=True, slots=True)
class Row:
    """A C struct of unsigned integers; the fields are (C type, name)."""

    name: str
    fields: tuple[tuple[str, str], ...]

    @property
    def layout(self) -> struct.Struct:
        """How the row lies in memory."""
        return struct.Struct("<" + "".join(_CODES[kind] for kind, _ in self.fields))

    @property
    def c_source(self) -> str:
        """The declaration; rows are naturally aligned, so the compiler adds no padding."""
        lines = "".join(f"\t{kind} {name};\n" for kind, name in self.fields)
        return f"struct {self.name} {{\n{lines}}};\n"


class Mark(IntEnum):
    """What is known of a process."""

    PROVISIONAL = 1
    """It opened something that looks like a model; expires, ends at exec."""
    CONFIRMED = 2
    """User space agrees; carried through exec."""
    OURS = 3
    """The daemon and its children: never reported."""
    SELF_TEST = 4
    """A child of ours that proves the probes: reported, and told from everybody else."""


class Known(IntEnum):
    """What the inspector found in a file."""

    NO_MODEL = 1
    MODEL = 2


class Suffix(IntEnum):
    """How much a suffix says."""

    WEAK = 1
    STRONG = 2
    LIBRARY = 3
    """A shared library: its name decides."""


class Loss(IntEnum):
    """Why a record did not go out; `lost` counts by reason and kind."""

    RING = 0
    """The ring had no room."""
    SHARE = 1
    """The process had its share of the ring in it already."""


class Refusal(IntEnum):
    """A table that had no room for a row; `refusals` counts by table."""

    MARKS = 0


class Table(StrEnum):
    """The hash and array maps that user space reads or fills."""

    MARKS = auto()
    SETTINGS = auto()
    DRAINS = auto()
    SUFFIXES = auto()
    NAMES = auto()
    LIBRARIES = auto()
    KNOWN = auto()
    SEEN_EVEN = auto()
    SEEN_ODD = auto()


MARK = Row("mark", (("u64", "start_ns"), ("u64", "until_ns"), ("u64", "state")))
"""Start of the process against reuse of its number; when a provisional mark ends, boot nanoseconds; a `Mark`."""
SETTINGS = Row("settings", (("u64", "large_bytes"), ("u64", "provisional_ns"), ("u64", "generation")))
"""A file at least this large is a candidate whatever its name; how long an unconfirmed mark lives; which of the two
tables of seen opens is in use: its lowest bit."""
FILE_KEY = Row("file_key", (("u64", "device"), ("u64", "inode"), ("u64", "size"), ("u64", "ctime_ns")))
"""A file in one state. The size is part of it, for two changes within one tick of the file system's clock (4 ms) have
the same ctime."""
SEEN_KEY = Row("seen_key", (("u32", "pid"), ("u32", "access"), ("u64", "start_ns"), *FILE_KEY.fields))
NAME_KEY = Row("name_key", (("u64", "head"), ("u64", "tail"), ("u64", "length")))
"""A file's name by its first and last eight bytes and its length: short to compare. Others may have the same key, so
user space looks at the whole name."""

SUFFIX_BYTES = 16
MARKS_MAX = 16_384
SEEN_MAX = 32_768
KNOWN_MAX = 65_536

SIZES: dict[Table, tuple[int, int]] = {
    Table.MARKS: (4, MARK.layout.size),
    Table.SETTINGS: (4, SETTINGS.layout.size),
    Table.DRAINS: (4, 8),
    Table.SUFFIXES: (SUFFIX_BYTES, 4),
    Table.NAMES: (NAME_KEY.layout.size, 4),
    Table.LIBRARIES: (LIBRARY_HEAD_BYTES, 4),
    Table.KNOWN: (FILE_KEY.layout.size, 4),
    Table.SEEN_EVEN: (SEEN_KEY.layout.size, 8),
    Table.SEEN_ODD: (SEEN_KEY.layout.size, 8),
}
"""Bytes of key and value."""

COUNTED, ROWS_ADDED = 0, 1
"""Indexes of `seen_counters`: opens counted instead of reported, rows added."""


def name_key(name: bytes) -> bytes:
    """The row of `names` for a file's name; `ValueError` for one that no file can have."""
    if not name or len(name) > 255 or b"/" in name or b"\0" in name:
        raise ValueError(f"{name!r} is no name of a file")
    head, tail = name[:8].ljust(8, b"\0"), name[-8:].ljust(8, b"\0")
    return NAME_KEY.layout.pack(int.from_bytes(head, "little"), int.from_bytes(tail, "little"), len(name))


def c_source() -> str:
    """All of the above, as the C side wants it."""
    values: list[tuple[str, type[IntEnum]]] = [
        ("MARK", Mark),
        ("KNOWN", Known),
        ("SUFFIX", Suffix),
        ("LOST_TO", Loss),
        ("REFUSED_BY", Refusal),
    ]
    limits = {
        "SUFFIX_BYTES": SUFFIX_BYTES,
        "MARKS_MAX": MARKS_MAX,
        "SEEN_MAX": SEEN_MAX,
        "KNOWN_MAX": KNOWN_MAX,
        "LOSS_REASONS": len(Loss),
        "REFUSALS": len(Refusal),
        "SEEN_COUNTED": COUNTED,
        "SEEN_ROWS_ADDED": ROWS_ADDED,
    }
    lines = [f"#define {name} {value}" for name, value in limits.items()]
    for prefix, enum in values:
        lines += [f"#define {prefix}_{one.name} {one.value}" for one in enum]
    rows = (MARK, SETTINGS, FILE_KEY, SEEN_KEY, NAME_KEY)
    return "\n".join([*lines, "", *(row.c_source for row in rows)])
