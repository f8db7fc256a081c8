"""Takes secrets out of command lines where the event is decoded, so that nothing behind it ever holds them."""

import re

REDACTED = "[redacted]"

_NAMES = (
    r"(?:api[-_]?key|access[-_]?key|auth(?:[-_]?token)?|token|secret(?:[-_]?key)?|passw(?:or)?d|passphrase"
    r"|private[-_]?key|credentials?)"
)
_FLAG = re.compile(rf"-{{1,2}}(?:[\w-]*[-_])?{_NAMES}$", re.IGNORECASE)
"""`--api-key`, `--hf-token`, `-password`: the next word is the secret."""
_ASSIGNED = re.compile(rf"({_NAMES}[\"']?\]?\s*[=:]\s*)(\S.*)", re.IGNORECASE | re.DOTALL)
"""`--token=x`, `HF_TOKEN=x`, `X-Api-Key: x`. What stands before the name is not matched: it would be tried from each
character on, which takes half a second for a word of 4 KiB."""
_HEADER = re.compile(r"(authorization\s*:\s*(?:(?:bearer|basic|token)\s+)?)(\S.*)", re.IGNORECASE | re.DOTALL)
_USER_INFO = re.compile(r"(://[^/\s:@]*:)[^/\s]+@")
"""`https://user:password@host`."""
_TOKEN_INFO = re.compile(r"(://)[^/\s:@]{16,}@")
"""`https://token@host`; what is shorter is a user's name."""
_LOGIN = re.compile(r"-u|--user|--proxy-user")
"""curl's: the next word is `user:password`."""
_KNOWN = re.compile(
    r"\b(?:sk-[\w-]{16,}|hf_\w{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}"
    r"|xox[abprs]-[\w-]{10,}|(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)"
)
"""Tokens that are known by their shape, wherever they stand."""
_WORD_MAX = 4096


def redact(words: tuple[str, ...]) -> tuple[str, ...]:
    """The same words with each recognised secret replaced; what has no shape of a secret stays."""
    out: list[str] = []
    hide_next = False
    for before, word in zip(("", *words), words, strict=False):
        user, colon, _ = word.partition(":")
        if colon and _LOGIN.fullmatch(before) and not user.startswith("/"):
            out.append(f"{user}:{REDACTED}")
            continue
        if hide_next and not word.startswith("-"):
            out.append(REDACTED)
            hide_next = False
            continue
        hide_next = _FLAG.fullmatch(word) is not None
        out.append(word if hide_next else _redact_word(word[:_WORD_MAX]))
    return tuple(out)


def _redact_word(word: str) -> str:
    if len(word) < 6:
        return word
    word = _USER_INFO.sub(rf"\1{REDACTED}@", word)
    word = _TOKEN_INFO.sub(rf"\1{REDACTED}@", word)
    word = _HEADER.sub(rf"\1{REDACTED}", word)
    word = _KNOWN.sub(REDACTED, word)
    return _ASSIGNED.sub(rf"\1{REDACTED}", word)
