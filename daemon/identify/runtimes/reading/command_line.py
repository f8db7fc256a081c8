"""What a program was asked to run: itself, a script, a module, or the program that it only loads."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from modelwarden.daemon.identify.runtimes.runtime import Program

WORDS_MAX = 512
"""Arguments that are looked at: the kernel's record has 4 KiB of them, the command lines of real servers 60."""

_INTERPRETERS = ("python", "pypy", "node", "ruby", "perl", "java", "bun", "deno")
_LOADERS = re.compile(r"ld\.so|ld-linux.*|ld-musl-.*|ld-[0-9.]+\.so|ape|\.ape-[0-9.]+|ape-[a-z0-9._-]+")
"""Programs that run the file of their first argument: the dynamic loader, and that of actually portable executables."""
_WITH_VALUE = frozenset({"-X", "-W", "--library-path", "--argv0", "--preload", "--audit", "--inhibit-rpath"})
"""Options of python and of the dynamic loader (ld.so(8)) whose value is a word of its own."""
_CLUSTER = re.compile(r"-[bBdEhiIOPqRsSuvVx]*([mc])")
"""Python takes options together: `-um module`."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One program's arguments, taken apart. All of it is the claim of whoever started it."""

    path: str = ""
    """What runs: the executable, or the script that an interpreter was given; empty for modules and code."""
    name: str = ""
    """The last component of that, without what a packager's wrapper adds (`.vllm-wrapped` on NixOS)."""
    module: str = ""
    """The module, where an interpreter was given `-m`."""
    code: str = ""
    """The program text, where an interpreter was given `-c`."""
    words: tuple[str, ...] = ()
    """The arguments of what runs."""
    interpreter: str = ""
    """The last component of the interpreter's own path, where one runs it."""
    loader: str = ""
    """The last component of the loader's path, where one runs it."""
    is_python_worker: bool = False
    """Whether it is one that Python's multiprocessing, or joblib's, started for another process.

    Source: `get_command_line` in CPython's `multiprocessing/spawn.py`, `forkserver.py`, `resource_tracker.py`;
    `popen_loky_posix.py` of loky.
    """
    called: str = ""
    """The word before all arguments: a path by which the program was called, or the title that it gave itself."""

    def first_word(self, valued: Collection[str] = ()) -> str:
        """The first argument that is no option, nor the value of one that is named in `valued`."""
        words = iter(self.words)
        for word in words:
            if word in valued:
                next(words, "")
            elif not word.startswith("-"):
                return word
        return ""

    def has_option(self, options: Collection[str]) -> bool:
        """Whether one of the options is among the arguments, as `--port 1` or `--port=1`."""
        return any(word.partition("=")[0] in options for word in self.words if word.startswith("-"))

    def values(self, option: str) -> tuple[str, ...]:
        """What the option was given, in order."""
        following = zip(self.words, (*self.words[1:], ""), strict=True)
        pairs = ((word.partition("="), after) for word, after in following)
        return tuple(value if equals else after for (name, equals, value), after in pairs if name == option)


@lru_cache(maxsize=64)
def command_line(program: Program) -> CommandLine:
    """The command line of a program, an interpreter and a loader seen through. Never raises.

    Remembered for a few programs: every runtime asks for that of the same ones.
    """
    path = (program.path or "").removesuffix(" (deleted)")
    called = program.arguments[0] if program.arguments else ""
    return _taken_apart(path, program.arguments[1 : WORDS_MAX + 1], called)


def _taken_apart(path: str, words: tuple[str, ...], called: str) -> CommandLine:
    name = path.rpartition("/")[2]
    if _LOADERS.fullmatch(name):
        kind, what, rest = _asked(words)
        # What is loaded is a program like any other: an interpreter too, but no second loader.
        if kind == "" and what and not _LOADERS.fullmatch(what.rpartition("/")[2]):
            return replace(_taken_apart(what, rest, called), loader=name)
    if not name.startswith(_INTERPRETERS):
        return CommandLine(path, _unwrapped(name), words=words, called=called)
    kind, what, rest = _asked(words)
    is_code = kind in {"-c", "-e"}
    path, module, code = (
        ("" if kind == "-m" or is_code else what),
        what if kind == "-m" else "",
        what if is_code else "",
    )
    is_worker = code.startswith(("from multiprocessing.", "from multiprocess.")) or "loky.backend." in module
    return CommandLine(
        path,
        _unwrapped(path.rpartition("/")[2]),
        module=module,
        code=code,
        words=rest,
        interpreter=name,
        is_python_worker=is_worker and name.startswith(("python", "pypy")),
        called=called,
    )


def _unwrapped(name: str) -> str:
    return name[1:-8] if name.startswith(".") and name.endswith("-wrapped") else name


def script_of(arguments: tuple[str, ...], executable_name: str) -> str:
    """What an interpreter runs: the script, the module (`-m name`), or the fact that it was given code (`-c`)."""
    if not executable_name.startswith(_INTERPRETERS):
        return ""
    kind, what, _ = _asked(arguments[1:])
    if kind in {"-c", "-e"}:
        return kind
    return f"{kind} {what}" if kind else what


def _asked(words: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    """(option that says how it was given, or nothing for a script; what; the words behind it)."""
    taken = iter(enumerate(words))
    for index, word in taken:
        cluster = _CLUSTER.fullmatch(word)
        kind = f"-{cluster[1]}" if cluster else word
        if kind in {"-m", "-jar", "-c", "-e"}:
            return kind, next((after for _, after in islice(taken, 1)), ""), words[index + 2 :]
        if word in _WITH_VALUE:
            next(taken, None)
        elif not word.startswith("-"):
            return "", word, words[index + 1 :]
    return "", "", ()
