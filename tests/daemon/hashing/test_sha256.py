"""A sum that is interrupted is the same sum."""

import ctypes
import hashlib
import random

import pytest

from modelwarden.daemon.hashing import sha256
from modelwarden.daemon.hashing.sha256 import PlainSum, ResumableSum, load

CONTENT = bytearray(random.Random(7).randbytes(1000))


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    """The libcrypto of this machine."""
    found = load()
    assert found is not None, "apt-get install libssl3"
    return found


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 1000])
def test_is_the_sum(library: ctypes.CDLL, length: int) -> None:
    """For every length around a block, the sum is that of hashlib."""
    for one in (ResumableSum(library), PlainSum()):
        if length:
            one.update(memoryview(CONTENT)[:length])
        assert one.digest() == hashlib.sha256(CONTENT[:length]).digest()


@pytest.mark.parametrize("length", [0, 64, 128, 960])
def test_goes_on_where_it_stopped(library: ctypes.CDLL, length: int) -> None:
    """A sum that goes on from a midstate is the sum of the whole, and the old one is not disturbed."""
    begun = ResumableSum(library)
    if length:
        begun.update(memoryview(CONTENT)[:length])
    midstate = begun.midstate()
    assert midstate is not None
    resumed = ResumableSum(library, length, midstate)
    resumed.update(memoryview(CONTENT)[length:])
    assert resumed.digest() == hashlib.sha256(CONTENT).digest()
    assert begun.midstate() == midstate


def test_counts_beyond_four_gigabytes(library: ctypes.CDLL) -> None:
    """The length behind a midstate may have more than 32 bits: it is told in bits, in two words."""
    resumed = ResumableSum(library, 5 << 30, ResumableSum(library).midstate())
    assert divmod((5 << 30) * 8, 1 << 32) == (resumed._context.high, resumed._context.low)


def test_no_midstate_within_a_block(library: ctypes.CDLL) -> None:
    """In the middle of a block there is nothing to go on from, and hashlib never has it."""
    one = ResumableSum(library)
    one.update(memoryview(CONTENT)[:63])
    assert one.midstate() is None
    assert PlainSum().midstate() is None


@pytest.mark.parametrize(
    ("length", "midstate"), [(64, bytes(31)), (63, bytes(32)), (-64, bytes(32)), (1 << 62, bytes(32))]
)
def test_refuses_a_wrong_midstate(library: ctypes.CDLL, length: int, midstate: bytes) -> None:
    """What cannot be a state of a sum is refused."""
    with pytest.raises(ValueError, match="whole blocks"):
        ResumableSum(library, length, midstate)


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is not there, or does not have the functions, is none."""
    monkeypatch.setattr(sha256, "LIBRARIES", ("libnothing.so.9", "libc.so.6"))
    assert load() is None


class Larger:
    """A libcrypto whose context has another size."""

    def SHA256_Init(self, room: ctypes.Array[ctypes.c_char]) -> None:  # noqa: N802
        """Clears more than it should."""
        ctypes.memset(room, 0, 120)


def test_another_layout_is_noticed() -> None:
    """A context of another size would be written beyond its end, so such a library is not used."""
    assert not sha256._is_as_expected(Larger())  # type: ignore[arg-type]
