"""What the hasher and its child say to each other."""

import pytest

from modelwarden.daemon.hashing.order import Order, done, progress, progress_in, sum_in

MIDSTATE = bytes(range(32))


@pytest.mark.parametrize("midstate", [None, MIDSTATE])
def test_an_order_comes_through(midstate: bytes | None) -> None:
    """What is encoded is decoded; without a midstate there is nothing to go on from."""
    order = Order.decode(Order((1 << 63, -1, 5), 128, midstate).encode())
    assert (order.size, order.mtime_ns, order.ctime_ns, order.midstate) == (1 << 63, -1, 5, midstate)
    assert order.offset == (128 if midstate else 0)


@pytest.mark.parametrize("midstate", [None, MIDSTATE])
def test_answers_come_through(midstate: bytes | None) -> None:
    """How far it is, and the sum."""
    assert progress_in(progress(1 << 50, midstate)) == (1 << 50, midstate)
    assert sum_in(done(MIDSTATE)) == MIDSTATE.hex()
    assert sum_in(progress(1, None)) is None


@pytest.mark.parametrize(
    "message", [b"", b"at", b"at -1 -", b"at 1 " + b"A" * 64, b"at 1 -\n", b"at " + b"9" * 30 + b" -", b"is x", b"\xff"]
)
def test_nonsense_is_none(message: bytes) -> None:
    """The child is not trusted to keep the form."""
    assert sum_in(message) is None
    with pytest.raises(ValueError, match="does not say"):
        progress_in(message)
