"""Takes the path of a cgroup apart, and undoes what systemd did to the names in it."""

import re
from collections.abc import Iterator

PARTS_MAX = 32
"""The kernel allows thousands; containers in containers in a user's session have a dozen."""
NAME_MAX = 255

_ESCAPES = re.compile(r"(?:\\x[0-9a-f]{2})+")


def parts(cgroup: str) -> tuple[str, ...]:
    """The names in the path, outermost first; of a path that is too deep the innermost ones."""
    return tuple(name for name in cgroup.split("/") if name not in {"", ".."})[-PARTS_MAX:]


def innermost(pattern: re.Pattern[str], cgroup: str) -> re.Match[str] | None:
    """The last place where a name, or a name with those above it, is as a whole what the pattern says.

    The pattern sees names with slashes between them, from each name on to the end of each name.
    """
    for text in _stretches(parts(cgroup)):
        if found := pattern.fullmatch(text):
            return found
    return None


def _stretches(names: tuple[str, ...]) -> Iterator[str]:
    """Each single name and each pair of neighbours, innermost first."""
    for index in range(len(names) - 1, -1, -1):
        yield names[index]
        if index:
            yield f"{names[index - 1]}/{names[index]}"


def unescaped(name: str) -> str:
    r"""A name as it was before systemd escaped it: `my\x2dapp` is `my-app` (systemd-escape(1)).

    The underscore that keeps a name apart from files of the kernel goes too (`cg_escape` in systemd's cgroup-util.c).
    """
    return _ESCAPES.sub(lambda found: _bytes(found[0]).decode("utf-8", "replace"), name.removeprefix("_"))


def _bytes(escapes: str) -> bytes:
    return bytes(int(one, 16) for one in escapes.split("\\x")[1:])
