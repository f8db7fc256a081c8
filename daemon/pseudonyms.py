"""Replaces what a text tells of people and their places, the same each time, and leaves what everybody knows."""

import hashlib
import hmac
import re
from collections.abc import Iterable

from modelwarden.daemon.public_words import AFFIXES, INTERPRETERS, SUFFIXES, USERS, message_words, public_words
from modelwarden.probes.redact import REDACTED

CACHE_MAX = 65_536
PEOPLE_MAX = 4_096
"""Names of people that are known; of further ones only the places where people stand are replaced."""
INSIDE_MIN = 4
"""From this length on a person's name is found inside of a longer word too."""

_DIGEST = re.compile(r"(?:sha256[-:])?[0-9a-fA-F]{32,128}(?:-partial(?:-\d+)?)?")
_NUMBER = re.compile(r"[-+]?(?:\d[\d.,_]*%?|0x[0-9a-fA-F]{1,16})")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_OUR_IPV4 = re.compile(r"127\.[\d.]+|0\.0\.0\.0")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
_REPOSITORY = re.compile(r"(?:models|datasets|spaces)--[\w.-]+")
"""As the Hugging Face cache calls the folder of one: `models--org--name`."""
_SHARD = re.compile(r"[-_.]?\d{5}-of-\d{5}\Z")
_JOINTS = re.compile(r"[-_.@:+,]")
_PART = re.compile(r"([A-Za-z]*?)v?\d*")
_OPTION = re.compile(r"--?[A-Za-z0-9]|--[a-z][a-z_-]{0,40}")
_URL = re.compile(r"([a-z][a-z0-9+.-]{1,9})://([^/]*)(.*)", re.DOTALL)
_IPV6 = re.compile(r"[^:]*:[^:]*:.*", re.DOTALL)
_OUR_IPV6 = re.compile(r"\[?::1?\]?(?::\d{1,5})?")
_PORT = re.compile(r"([^:]+|\[.*\]):(\d{1,5})", re.DOTALL)
_HOME_PARENTS = frozenset({"home", "Users"})
_KEPT = frozenset({"", ".", "..", "~", "…", "-", "--", REDACTED})


class Pseudonyms:
    """One key, one set of names. With the key a name can be looked for, so it is thrown away with the object."""

    def __init__(self, key: bytes, people: Iterable[str] = ()) -> None:
        self._key = key
        self._cache: dict[str, str] = {}
        self._people: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._words, self._messages = public_words(), message_words()
        for one in people:
            self.meet(one)

    def meet(self, person: str) -> None:
        """From now on this is somebody's name, wherever it stands."""
        name = person.lower()
        if name and name not in USERS and name not in self._people and len(self._people) < PEOPLE_MAX:
            self._people.add(name)
            self._pattern = None

    def meet_homes(self, path: str) -> None:
        """The people in whose homes a path leads."""
        before = ""
        for part in path.split("/"):
            if before in _HOME_PARENTS and part not in _KEPT:
                self.meet(part)
            before = part

    def name(self, text: str) -> str:
        """What stands for a text: `p` with 8 digits."""
        found = self._cache.get(text)
        if found is None:
            if len(self._cache) >= CACHE_MAX:
                self._cache.clear()
            found = self._cache[text] = "p" + self.digest(text)[:8]
        return found

    def digest(self, text: str) -> str:
        """64 hexadecimal digits that only this key gives for a text."""
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def user(self, text: str) -> str:
        """An account: those of the system stay."""
        return text if text in USERS or text in _KEPT or text.isdigit() else self.name(text)

    def path(self, text: str) -> str:
        """Each component by itself, so that what lay in one folder does so still."""
        if match := _URL.fullmatch(text):
            scheme, authority, rest = match.groups()
            return f"{self.word(scheme)}://{self._authority(authority)}{self.path(rest)}"
        before, out = "", []
        for part in text.split("/"):
            out.append(self._home(part) if before in _HOME_PARENTS else self.component(part))
            before = part
        return "/".join(out)

    def component(self, text: str) -> str:
        """One name in a path: what it ends in stays, for by that files are recognised."""
        if text in _KEPT or self._is_public(text):
            return text
        if _REPOSITORY.fullmatch(text):
            return self.claim(text)
        head, tail = text, ""
        stem, dot, suffix = head.rpartition(".")
        while dot and stem and suffix.lower() in SUFFIXES:
            head, tail = stem, f".{suffix}{tail}"
            stem, dot, suffix = head.rpartition(".")
        if match := _SHARD.search(head):
            head, tail = head[: match.start()], match[0] + tail
        if not head or self._is_public(head):
            return text
        prefix = next((one for one in INTERPRETERS if head.startswith(one)), "")
        return f"{prefix}{self.name(head)}{tail}"

    def group(self, text: str) -> str:
        """The path of a cgroup: units, engines and applications are told from the parts of its names."""
        parts = re.split(r"([-./@:_])", text)
        return "".join(
            one if index % 2 or self._is_public(one) or not one else self.name(one) for index, one in enumerate(parts)
        )

    def word(self, text: str) -> str:
        """A text without spaces or slashes: a host with its port, a unit, a name."""
        if match := _PORT.fullmatch(text):
            return text if _OUR_IPV6.fullmatch(text) else f"{self.word(match[1])}:{match[2]}"
        return self.component(text)

    def term(self, text: str) -> str:
        """One of our own terms, also where it is the name of a person."""
        return text if text in self._words or _DIGEST.fullmatch(text) else self.text(text)

    def text(self, text: str) -> str:
        """Anything of which nothing is known."""
        if any(map(str.isspace, text)):
            return self.prose(text)
        return self.path(text) if "/" in text else self.word(text)

    def prose(self, text: str) -> str:
        """A sentence: the words of our own messages stay, and numbers do."""
        return "".join(part if part.isspace() else self._said(part) for part in re.split(r"(\s+)", text))

    def claim(self, text: str) -> str:
        """What a model says of itself, or a policy of models: all but the people in it stays."""
        if text.startswith("/"):
            return self.path(text)
        pattern = self._people_pattern()
        return pattern.sub(lambda match: self.name(match[0]), text) if pattern else text

    def arguments(self, words: Iterable[str]) -> tuple[str, ...]:
        """A command line: options, numbers and what everybody knows stay."""
        return tuple(self._argument(word) for word in words)

    def _argument(self, word: str) -> str:
        if any(map(str.isspace, word)):
            return self.name(word)  # a program, or what somebody asks a model
        key, equals, value = word.partition("=")
        if word.startswith("-"):
            return self._option(key) + (equals and equals + self._value(value))
        return self.word(key) + equals + self._value(value) if equals and "/" not in key else self._value(word)

    def _option(self, text: str) -> str:
        if text in _KEPT or _NUMBER.fullmatch(text) or text in self._words:
            return text
        if _OPTION.fullmatch(text) and self._people.isdisjoint(_JOINTS.split(text)):
            return text
        return text[:2] + self.name(text)

    def _value(self, text: str) -> str:
        if text.endswith(f":{REDACTED}"):
            return f"{self.user(text.removesuffix(f':{REDACTED}'))}:{REDACTED}"
        if _DIGEST.fullmatch(text) and not text.startswith("sha256"):
            return self.name(text)  # may be a token as well
        return self.path(text) if "/" in text else self.word(text)

    def _authority(self, text: str) -> str:
        who, at, host = text.rpartition("@")
        return (who and self.name(who)) + at + self.word(host)

    def _said(self, word: str) -> str:
        core = word.strip(AFFIXES)
        if not core:
            return word
        before, _, behind = word.partition(core)
        if "/" in core:
            return before + self.path(core) + behind
        is_ours = core.lower() in self._messages and core.lower() not in self._people
        return before + (core if is_ours else self.word(core)) + behind

    def _home(self, text: str) -> str:
        return self.name(text) if text.isdigit() else self.user(text)

    def _is_public(self, text: str) -> bool:
        if text.lower() in self._people:
            return False
        if _TIME.fullmatch(text):
            return True
        if _IPV4.search(text) or _IPV6.fullmatch(text):
            return bool(_OUR_IPV4.fullmatch(text) or _OUR_IPV6.fullmatch(text))
        if text in self._words or any(known.fullmatch(text) for known in (_DIGEST, _NUMBER)):
            return True
        parts = _JOINTS.split(text)
        return self._people.isdisjoint(map(str.lower, parts)) and all(map(self._is_public_part, parts))

    def _is_public_part(self, part: str) -> bool:
        if part in self._words or _DIGEST.fullmatch(part):
            return True
        match = _PART.fullmatch(part)
        return match is not None and (not match[1] or match[1] in self._words)

    def _people_pattern(self) -> re.Pattern[str] | None:
        if self._pattern is None and self._people:
            names = sorted(self._people, key=lambda one: (-len(one), one))
            long = [re.escape(one) for one in names if len(one) >= INSIDE_MIN]
            short = [rf"(?<![^\W\d_]){re.escape(one)}(?![^\W\d_])" for one in names if len(one) < INSIDE_MIN]
            self._pattern = re.compile("|".join([*long, *short]), re.IGNORECASE)
        return self._pattern
