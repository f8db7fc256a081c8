"""What the hasher and its child program say to each other: an order, then answers until the sum is there."""

import re

CHANGED, UNREADABLE = b"changed", b"unreadable"
_AT = re.compile(rb"at (\d{1,20}) ([0-9a-f]{64}|-)")
_DONE = re.compile(rb"is ([0-9a-f]{64})")


class Order:
    """Which state of a file is to be summed up, and what of it has been: `size mtime ctime offset midstate`."""

    __slots__ = ("ctime_ns", "midstate", "mtime_ns", "offset", "size")

    def __init__(self, state: tuple[int, int, int], offset: int = 0, midstate: bytes | None = None) -> None:
        self.size, self.mtime_ns, self.ctime_ns = state
        self.offset = offset if midstate else 0
        self.midstate = midstate
        """The state of the sum behind `offset` bytes."""

    def encode(self) -> bytes:
        """The message."""
        numbers = (self.size, self.mtime_ns, self.ctime_ns, self.offset)
        return b"%d %d %d %d %s" % (*numbers, (self.midstate or b"").hex().encode() or b"-")

    @staticmethod
    def decode(message: bytes) -> "Order":
        """The reverse of `encode`."""
        size, mtime_ns, ctime_ns, offset, midstate = message.split()
        state = int(size), int(mtime_ns), int(ctime_ns)
        return Order(state, int(offset), None if midstate == b"-" else bytes.fromhex(midstate.decode()))


def progress(offset: int, midstate: bytes | None) -> bytes:
    """The answer in the middle: so many bytes are in the sum."""
    return b"at %d %s" % (offset, midstate.hex().encode() if midstate else b"-")


def progress_in(message: bytes) -> tuple[int, bytes | None]:
    """What `progress` says; `ValueError` for everything else."""
    found = _AT.fullmatch(message)
    if found is None:
        raise ValueError("it does not say how far it is")
    return int(found[1]), None if found[2] == b"-" else bytes.fromhex(found[2].decode())


def done(digest: bytes) -> bytes:
    """The answer at the end."""
    return b"is %s" % digest.hex().encode()


def sum_in(message: bytes) -> str | None:
    """What `done` says, as hexadecimal digits; `None` for everything else."""
    found = _DONE.fullmatch(message)
    return None if found is None else found[1].decode()
