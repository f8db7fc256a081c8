"""PyTorch's format before 1.6: pickles one after the other, then the weights.

Source: `_legacy_save` and `_legacy_load` in `torch/serialization.py`: the magic number, the protocol, facts of the
writer's machine, the object, the keys of the storages, and the storages in that order.
"""

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.pickle_walk import Walk
from modelwarden.daemon.identify.reading.torch_weights import Weights
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Window

MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""A pickle of 0x1950a86a20f9469cfc6c and its end, behind the two bytes that name the pickle's protocol."""
PROTOCOL = 1001
SMALL = 1000
"""Opcodes of the pickles in front of the object: they have about 20."""
COUNT_BYTES = 8
"""What stands in front of each storage: how many elements it has."""
CHUNK = 1 << 13
"""Bytes of one read: what is stepped over is often longer."""


def has_magic(head: bytes) -> bool:
    """Whether a file begins as this format does, in any binary protocol of pickle."""
    # Protocol 4 and later put a frame around it, if it is long enough for one, which it is.
    body = head[11:] if head[2:3] == b"\x95" else head[2:]
    return head[:1] == b"\x80" and 2 <= head[1] <= 5 and body.startswith(MAGIC)


def read(window: Window, weights: Weights) -> tuple[bool, str | None]:
    """Add up the weights: whether all were seen, and what is wrong with the file."""
    cursor = Cursor(window, chunk=CHUNK)
    is_complete = False
    try:
        Walk(cursor, SMALL).finish()
        if Walk(cursor, SMALL).finish() != PROTOCOL:
            return False, "its protocol is not the one that PyTorch knows"
        Walk(cursor, SMALL).finish()
        weights.read(Walk(cursor))
        is_complete = True
        Walk(cursor).finish()
    except Damaged as damage:
        return is_complete, str(damage)
    except BudgetSpentError:
        return is_complete, "it is larger than an inspection reads"
    needs = cursor.offset + len(weights.seen) * COUNT_BYTES + weights.stored
    return True, claims.cut_short(window.size, needs) if needs > window.size else None
