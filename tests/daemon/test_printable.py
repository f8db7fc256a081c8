"""Hostile text at the rim."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.daemon.printable import json_text, printable, well_formed

HOSTILE = st.text(st.characters(codec=None), max_size=60) | st.text("\\nrtxuU0f\n\x1b\udcff\u202e", max_size=20)
ESCAPE = re.compile(r"\\(?:(\\)|([nrt])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def unescape(shown: str) -> str:
    """What a reader of the documented escapes makes of a printable text."""

    def character(match: re.Match[str]) -> str:
        backslash, short, byte, four, eight = match.groups()
        if backslash:
            return "\\"
        if short:
            return {"n": "\n", "r": "\r", "t": "\t"}[short]
        if byte:
            code = int(byte, 16)
            return chr(code if code < 0x80 else 0xDC00 + code)
        return chr(int(four or eight, 16))

    return ESCAPE.sub(character, shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("llama-3.gguf", "llama-3.gguf"),
        ("日本語 é ÿ", "日本語 é ÿ"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x7f\x85", r"\x7f\u0085"),
        ("\udcff", r"\xff"),
        ("\ud800", r"\ud800"),
        ("a\u202eb\u2066", r"a\u202eb\u2066"),
        ("\u200b\u2028\ufeff", r"\u200b\u2028\ufeff"),
        ("\u3164\ufe0f", r"\u3164\ufe0f"),
        ("\U000e0001", r"\U000e0001"),
        (r"C:\dir", r"C:\dir"),
        (r"C:\new", r"C:\\new"),
        ("\\", "\\"),
        ("\\\n", r"\\\n"),
    ],
)
def test_shows_what_is_there(text: str, shown: str) -> None:
    """What a terminal would obey, or nobody would see, is written out."""
    assert printable(text) == shown


@given(HOSTILE)
def test_is_one_harmless_line(text: str) -> None:
    """Whatever comes in, what goes out has no control, no format character and a UTF-8 encoding."""
    shown = printable(text)
    shown.encode("utf-8")
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(HOSTILE)
def test_is_unambiguous(text: str) -> None:
    """Two different texts never look the same: the escapes can be read back."""
    assert unescape(printable(text)) == text


@given(HOSTILE)
def test_well_formed_touches_surrogates_only(text: str) -> None:
    """Well-formed text has an encoding; all but lone surrogates is as it was."""
    result = well_formed(text)
    result.encode("utf-8")
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert result == text


@given(
    st.recursive(HOSTILE | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(HOSTILE, inner))
)
def test_json_is_always_utf8(document: object) -> None:
    """Any document becomes valid UTF-8 JSON, and strings come back well-formed."""
    text = json_text(document)
    back = json.loads(text.encode("utf-8"))
    if isinstance(document, str):
        assert back == well_formed(document)
