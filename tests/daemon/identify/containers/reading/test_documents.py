"""The reader of documents: what is asked for, bounded."""

import msgspec
import pytest

from modelwarden.daemon.identify.containers.reading.documents import DOCUMENT_BYTES_MAX, VALUES_MAX, read, text


class Wanted(msgspec.Struct):
    """A document with one part that matters."""

    name: str = ""


def test_builds_what_is_asked_for() -> None:
    """The rest is passed over."""
    assert read(b'{"other":[{"name":1}],"name":"a"}', Wanted) == Wanted("a")


@pytest.mark.parametrize(
    "document",
    [
        b'{"name":"a"}' + b" " * DOCUMENT_BYTES_MAX,
        b'{"name":"a","o":[' + b"1," * VALUES_MAX + b"1]}",
        b'{"name":null}',
        b"{",
    ],
    ids=["long", "many values", "another type", "cut"],
)
def test_refuses_too_much(document: bytes) -> None:
    """Length and number of values have limits, whatever is asked for."""
    assert read(document, Wanted) is None


def test_claims_are_cut() -> None:
    """A text is bounded, can be encoded, and says something or is none."""
    assert text(" " + "n" * 500) == "n" * 199
    assert text("a\ud800") == "a?"
    assert text("  ") is None
    assert text(None) is None
