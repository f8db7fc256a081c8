"""The ways in which a program family is started, told by name and the shape of the arguments together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from modelwarden.daemon.identify.runtimes.reading.command_line import CommandLine

SHOWN_MAX = 80
"""Characters of a name that anybody could have chosen."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One way to be started: what is not empty must fit, all of it; without a name or a module nothing fits.

    Names and arguments are patterns: as a whole, or with a star at either end (`koboldcpp*`, `*.llamafile`).
    """

    names: tuple[str, ...] = ()
    """Of the executable, or of the script that an interpreter runs."""
    modules: tuple[str, ...] = ()
    """That an interpreter runs with `-m`: these, and those in packages of these names."""
    words: tuple[str, ...] = ()
    """Subcommands: the first argument that is no option is one of these."""
    valued: tuple[str, ...] = ()
    """Options before the subcommand that take a value."""
    options: tuple[str, ...] = ()
    """One of these is given."""
    arguments: tuple[str, ...] = ()
    """One of the arguments is like one of these."""
    folders: tuple[str, ...] = ()
    """One of these is part of the path of what runs, or of the path by which its interpreter was called; in small
    letters, with a slash where a folder's name begins or ends: `/comfyui`."""
    is_unmistakable: bool = False
    """Whether nothing else looks so: a path or an argument that only this family has."""
    is_common: bool = False
    """Whether many programs have these names, so that no library, unit or image beside one proves anything."""

    _like_a_name: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_like_a_name", one_of(self.names))

    def sign(self, line: CommandLine) -> str:
        """What fits, for a person, such as `vllm serve`; empty when something does not."""
        named = self._named(line)
        if not named:
            return ""
        parts = [named]
        if self.words:
            parts.append(next((word for word in self.words if word == line.first_word(self.valued)), ""))
        if self.options:
            parts.append(next((option for option in self.options if line.has_option((option,))), ""))
        if self.arguments:
            parts.append(next((word for word in line.words if is_like(word, self.arguments)), "")[:SHOWN_MAX])
        if self.folders:
            folder = _folder(line, self.folders).strip("/")
            parts.append(f"in {folder}" if folder else "")
        return " ".join(parts) if all(parts) else ""

    def fits_name(self, line: CommandLine) -> bool:
        """Whether the name fits, and is rare enough to mean something beside a second sign."""
        return not (self.is_common or self.folders) and self._like_a_name.fullmatch(line.name) is not None

    def _named(self, line: CommandLine) -> str:
        if line.name and self._like_a_name.fullmatch(line.name):
            return line.name[:SHOWN_MAX]
        if line.module and any(f"{line.module}.".startswith(f"{module}.") for module in self.modules):
            return f"-m {line.module[:SHOWN_MAX]}"
        return ""


def one_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """An expression that matches, whole, what is like one of the patterns of a `Launch`."""
    return re.compile(
        "|".join(".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns) or "(?!)", re.DOTALL
    )


def is_like(text: str, patterns: Iterable[str]) -> bool:
    """Whether a text is like one of the patterns of a `Launch`."""
    return any(_fits(text, pattern) for pattern in patterns)


def _fits(text: str, pattern: str) -> bool:
    match pattern[:1] == "*", pattern[-1:] == "*":
        case True, True:
            return pattern[1:-1] in text
        case True, False:
            return text.endswith(pattern[1:])
        case False, True:
            return text.startswith(pattern[:-1])
    return text == pattern


def _folder(line: CommandLine, folders: tuple[str, ...]) -> str:
    paths = [line.path.rpartition("/")[0].lower()]
    if line.interpreter:
        paths.append(line.called.rpartition("/")[0].lower())
    return next((folder for folder in folders if any(folder in f"{path}/" for path in paths)), "")
