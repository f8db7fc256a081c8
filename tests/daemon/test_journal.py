"""The lines of a journal."""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import made_up
from tests.kit import opened, policy_loaded, remembered, tick

from modelwarden.daemon.journal import (
    Header,
    JournalError,
    decode,
    decode_header,
    encode,
    encode_header,
    is_remembered,
    kind_of,
    kinds,
)
from modelwarden.daemon.pipeline import Core
from modelwarden.daemon.policy import ModelApproval
from modelwarden.probes.event import Event

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", sorted(kinds()))
@SLOW
@given(data=st.data())
def test_every_event_comes_back_equal(kind: str, data: st.DataObject) -> None:
    """Whatever its fields hold: enums, dates, tuples, bytes of names that are no UTF-8."""
    event = data.draw(made_up.event(kinds()[kind]))
    line = encode(event)

    assert decode(line) == event
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_all_that_the_core_takes_has_a_kind() -> None:
    """No event can reach the core that a journal does not know."""
    assert set(Core(())._handlers) <= set(kinds().values())
    assert all(kinds()[kind_of(event)] is event for event in kinds().values())


def test_a_name_that_is_no_utf8_comes_back() -> None:
    """Given bytes, as a path may have them, then the same bytes come back."""
    path = os.fsdecode(b"/m/\xff\xfe\xed\xa0\x80.gguf")
    found = decode(encode(opened(path)))
    assert os.fsencode(getattr(found, "path", "")) == os.fsencode(path)


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.from_regex(rb'\["tick",\{.{0,30}\}\]', fullmatch=True))
def test_bytes_are_an_event_or_an_error(line: bytes) -> None:
    """Nothing but `JournalError` comes out."""
    try:
        assert isinstance(decode(line), Event)
    except JournalError:
        return


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b'["tick",{"at":NaN,"wall_offset_ns":1}]', "no JSON"),
        (b'["tick",{"at":' + b"1" * 10_000 + b"}]", "no JSON"),
        (b'{"tick":1}', "no event"),
        (b'["tick",{},{}]', "no event"),
        (b'["seen_by_a_later_version",{}]', "'seen_by_a_later_version'"),
        (b'["tick",{"at":1}]', "wall_offset_ns"),
        (b'["tick",{"at":"1","wall_offset_ns":1}]', "at"),
        (b'["tick",{"at":1,"wall_offset_ns":1,"mood":"good"}]', "no field 'mood'"),
        (b'["tick",{"at":1,"wall_offset_ns":1,"\\udcff":1}]', "tick"),
        (
            b'["container_described",{"at":1,"container":{"engine":"x","id":"1","age":2},"uid":0,"description":{}}]',
            "'age'",
        ),
    ],
)
def test_what_is_not_understood_is_named(line: bytes, words: str) -> None:
    """One line that says what and what to do; half an event would be another one."""
    with pytest.raises(JournalError) as caught:
        decode(line)
    assert words in str(caught.value)
    assert ":" in str(caught.value)
    assert str(caught.value).isprintable()


def test_fields_that_an_older_version_did_not_write() -> None:
    """What has a default may be missing."""
    line = b'["file_inspected",{"at":1,"file":{"device":1,"inode":2,"size":3,"mtime_ns":4,"ctime_ns":5},'
    event = decode(line + b'"outcome":"gone","identity":null,"reason":"it is gone"}]')
    assert getattr(event, "origin", "missing") is None


def test_the_header_comes_back() -> None:
    """Which version, and whether names were replaced."""
    assert decode_header(encode_header(Header("1.2", redacted=True))) == Header("1.2", redacted=True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "no journal"),
        (b"GGUF\x03", "no journal"),
        (b'["tick",{}]\n', "no journal"),
        (json.dumps({"journal": 2, "version": "9.0"}).encode(), "9.0"),
        (b'{"journal": "1"}', "kind 1"),
        (b'{"journal": 1}', "version"),
    ],
)
def test_what_is_no_journal_is_refused(line: bytes, words: str) -> None:
    """Another file, or one of a newer version."""
    with pytest.raises(JournalError, match=words):
        decode_header(line)


def test_the_line_that_may_be_long() -> None:
    """Only what an earlier run has seen has no small bound."""
    assert is_remembered(encode(remembered()))
    assert not is_remembered(encode(tick()))


def test_a_policy_comes_back_with_its_limits() -> None:
    """A policy that no file could hold is refused."""
    line = encode(policy_loaded(ModelApproval(name="tiny")))
    with pytest.raises(JournalError, match="policy_loaded"):
        decode(line.replace(b'"name":"tiny"', b'"name":null'))
