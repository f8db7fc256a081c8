"""Where in a path a store begins, and where a link in it leads."""

from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location

UP_LIMIT = 8


def parts_of(path: str) -> list[str]:
    """The components of an absolute path, none of any other."""
    return path.split("/")[1:] if path.startswith("/") else []


def location(parts: list[str], first: int) -> Location | None:
    """The place of a file in a store's folder, whose first component below it is `parts[first]`."""
    up = len(parts) - 1 - first
    return Location(up, "/".join(parts[first:])) if first >= 0 and 0 <= up <= UP_LIMIT else None


def below(path: str, folders: tuple[str | None, ...]) -> Location | None:
    """The place of a file below the first of these folders that it lies in; `None` stands for one that is not set."""
    parts = parts_of(path)
    for folder in folders:
        above = parts_of((folder or "").rstrip("/"))
        if above and parts[: len(above)] == above and len(parts) > len(above):
            return location(parts, len(above))
    return None


def after(path: str, *middle: str) -> Location | None:
    """The place of a file below the last folder whose path ends in these components."""
    parts = parts_of(path)
    width = len(middle)
    for first in range(len(parts) - 1, width - 1, -1):
        if tuple(parts[first - width : first]) == middle:
            return location(parts, first)
    return None


def variable(environment: Mapping[str, str], name: str, *more: str) -> str | None:
    """A folder below the one that a variable names, `None` when that is not set to an absolute path."""
    value = environment.get(name, "")
    return "/".join((value.rstrip("/"), *more)) if value.startswith("/") else None


def followed(link: str, target: str | None) -> str | None:
    """The path to which a relative link leads, as text, below the same folder; `None` when it leads out of it."""
    if target is None or target.startswith("/"):
        return None
    found = link.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            if not found:
                return None
            found.pop()
        elif part not in {"", "."}:
            found.append(part)
    return "/".join(found)
