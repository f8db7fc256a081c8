"""How a stream of records is taken apart, wherever it is cut."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.probes.iterator import run_iterator, split


def record(content: bytes) -> bytes:
    """Kind, flags, length, content."""
    return struct.pack("<HHI", 1, 0, 8 + len(content)) + content


@given(st.lists(st.binary(max_size=40).map(record)), st.lists(st.integers(0, 500)))
def test_records_are_whole_wherever_the_stream_is_cut(records: list[bytes], cuts: list[int]) -> None:
    """Given chunks of any lengths, then the records come out as they went in."""
    stream = b"".join(records)
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(bounds)]

    assert list(split(iter(chunks))) == records


@pytest.mark.parametrize("lost", range(1, 20))
def test_end_within_a_record(lost: int) -> None:
    """A stream that ends too early is an error behind the records that it had, not a shorter answer."""
    first, last = record(b"first"), record(b"0123456789ab")
    records = split(iter([first + last[:-lost]]))

    assert next(records) == first
    with pytest.raises(OSError, match="within a record"):
        next(records)


@pytest.mark.parametrize("length", range(8))
def test_a_length_that_would_not_end(length: int) -> None:
    """A record that is shorter than its own beginning is an error, not a loop."""
    with pytest.raises(OSError, match=f"a record of {length} bytes"):
        list(split(iter([struct.pack("<HHI", 1, 0, length) + bytes(8)])))


def test_a_program_that_is_none() -> None:
    """What the kernel does not run is an error."""
    with pytest.raises(OSError, match="iterator"):
        list(run_iterator(-1))
