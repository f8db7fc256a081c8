"""What documents of stores say, whatever they hold."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models import Shelf

from modelwarden.daemon.identify.origins.reading.documents import card_license, json_object, scalar, sha256


@given(st.binary(max_size=200))
def test_any_bytes_are_read(document: bytes) -> None:
    """Nothing is raised for what a document holds."""
    assert isinstance(json_object(Shelf({"a": document}), "a"), dict)
    card_license(b"---\n" + document)
    scalar(document, "name")


@pytest.mark.parametrize(
    "document", [b"[" * 1_000_000, b'{"a":' * 200_000, b"1" * 1_000_000, b'{"a":' + b"1" * 9999 + b"}"]
)
def test_json_without_end_is_none(document: bytes) -> None:
    """Nesting and numbers without end are no object."""
    assert json_object(Shelf({"a": document}), "a") == {}


def test_a_card_of_one_line_takes_no_time() -> None:
    """A line as long as a card may be takes far less than the time of an inspection."""
    began = time.monotonic()
    card_license(b"---\nlicense: " + b" [" * 500_000)
    scalar(b"a:" * 500_000, "license")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("claim", "digest"),
    [
        ("sha256:" + "a" * 64, "a" * 64),
        ("sha256-" + "A" * 64, "a" * 64),
        ("b" * 64, "b" * 64),
        ("b" * 63, None),
        ("sha512:" + "b" * 64, None),
        ("١" * 64, None),
        (None, None),
        (5, None),
    ],
)
def test_only_sha256_is_a_digest(claim: object, digest: str | None) -> None:
    """A digest has sixty-four digits, with or without its algorithm."""
    assert sha256(claim) == digest
