"""Makes hostile text harmless at the rim: names on a terminal or in a log, and text inside JSON.

Names of files and command lines reach us as Python decodes them (PEP 383): a byte that is no UTF-8
arrives as a lone surrogate U+DC80…U+DCFF.
"""

import json
import re

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
"""Fillers, blanks and variation selectors: letters or marks to Unicode, yet nothing that a person sees."""

_SUSPECT = re.compile(f"[^ -\\[\\]-~\u00a1-\u00ac\u00ae-\u02ff]|[{_INVISIBLE}]")
"""What needs a look: everything but the visible part of ASCII (less the backslash) and Latin."""

_HIDDEN = re.compile(f"[{_INVISIBLE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _escape(character: str) -> str:
    r"""The escape of one character.

    `\x80`…`\xff` always mean a raw byte (a lone surrogate), so the C1 controls of Unicode are
    written `\u0080`…`\u009f`.
    """
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _is_hidden(character: str) -> bool:
    # isprintable() is false for controls, format characters (bidi, zero width), surrogates,
    # line separators, private use, unassigned and all spaces but U+0020.
    return not character.isprintable() or _HIDDEN.match(character) is not None


def printable(text: str) -> str:
    r"""The text on one line, with nothing in it that a terminal obeys or that a person cannot see.

    Controls (C0, C1, DEL), newlines, tabs, bidirectional overrides, zero-width and invisible
    characters, line separators, unusual spaces and lone surrogates become `\n`, `\x1b`, `\u202e`,
    `\xff`. A backslash is doubled only where it would read as one of these escapes, that is before
    one of `\ n r t x u U` or before something escaped; so two different texts never look the same,
    and `C:\dir` stays as it is.
    """
    if _SUSPECT.search(text) is None:
        return text
    parts = []
    for index, character in enumerate(text):
        if character == "\\":
            following = text[index + 1 : index + 2]
            double = following != "" and (following in "\\nrtxuU" or _is_hidden(following))
            parts.append("\\\\" if double else "\\")
        else:
            parts.append(_escape(character) if _is_hidden(character) else character)
    return "".join(parts)


def well_formed(text: str) -> str:
    r"""The text with lone surrogates as `\xff`, so that it has a UTF-8 encoding; the rest stays."""
    return _SURROGATE.sub(lambda match: _escape(match[0]), text)


def json_text(document: object) -> str:
    """The document as JSON that is always valid UTF-8, on one line.

    Raises `TypeError` or `ValueError` for what JSON cannot say (objects, NaN): a mistake of ours.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Only inside a string can a surrogate stand, where a backslash is written twice.
    return _SURROGATE.sub(lambda match: "\\" + _escape(match[0]), text)
