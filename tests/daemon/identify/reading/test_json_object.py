"""JSON of others: an object or nothing, whatever it holds."""

import tracemalloc

import pytest

from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT
from modelwarden.daemon.identify.reading.json_object import parse


def test_gives_an_object() -> None:
    """What is an object comes as it is."""
    assert parse('{"name": "é", "n": [1, {}]}'.encode()) == {"name": "é", "n": [1, {}]}


@pytest.mark.parametrize(
    "data",
    [None, b"", b"[]", b"7", b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"a":' + b"[" * 100_000, b'{"a":1' + b"0" * 5000],
)
def test_gives_nothing_else(data: bytes | None) -> None:
    """Anything else is nothing, and raises nothing."""
    assert parse(data) is None


def test_takes_no_endless_document() -> None:
    """What is longer than a document may be is not parsed."""
    assert parse(b"{}" + b" " * DOCUMENT_LIMIT) is None
    assert parse(b"{}" + b" " * (DOCUMENT_LIMIT - 2)) == {}


@pytest.mark.parametrize("item", [b"[]", b"{}", b"[0]", b'{"":0}', b"1e9", b'{"":{}}', b'{"":[0]}', b'[{"":0}]'])
def test_memory_is_bounded(item: bytes) -> None:
    """A document of the smallest items that take the most stays in 64 MiB."""
    count = (DOCUMENT_LIMIT - 10) // (len(item) + 1)
    data = b'{"a":[' + b",".join([item] * count) + b"]}"
    tracemalloc.start()
    try:
        assert parse(data) is not None
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
