"""Where a process lives, as the path of its cgroup tells: unit, container, desktop application."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from modelwarden.daemon.identify.containers.engine import Container, Engine
from modelwarden.daemon.identify.containers.reading.cgroup import NAME_MAX, parts, unescaped

_UID_MAX = 1 << 32
_OWNER = re.compile(r"user-(\d{1,10})\.slice|user@(\d{1,10})\.service")
_MANAGER = re.compile(r"user@\d{1,10}\.service")
_UNIT = re.compile(r".{1,250}\.(?:service|scope)", re.DOTALL)
_MADE_UP = re.compile(r"session-.*\.scope|run-.*\.(?:service|scope)|init\.scope", re.DOTALL)
"""Sessions, the managers themselves, and what systemd-run named for one run: nobody configured them."""

_SNAP = re.compile(r"snap\.([a-zA-Z0-9_\\-]{1,100})\..*\.(?:service|scope)", re.DOTALL)
_APPLICATIONS = (
    ("flatpak", re.compile(r"app-flatpak-([^-]+)-[^-]+\.scope", re.DOTALL)),
    ("desktop", re.compile(r"app-(?:[^-]*-)?([^-]+)-[^-]+\.scope", re.DOTALL)),
    ("desktop", re.compile(r"app-(?:[^-@]*-)?([^-@]+)(?:@[^@]*)?\.service", re.DOTALL)),
)
"""As the desktops name them (systemd.io/DESKTOP_ENVIRONMENTS): launcher, identifier, and a number or random text."""
_APPIMAGE = re.compile(r".*/\.mount_([^/]{1,100}?)[A-Za-z0-9]{6}/.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a process lives; `None` where the path tells nothing. Users choose names below their own manager."""

    unit: str | None = None
    """Of systemd, one that somebody configured: `ollama.service`. A container with a systemd has units inside."""
    user_unit: bool = False
    """Whether it belongs to the manager of a user."""
    owner_uid: int | None = None
    """The user whose cgroup it is, who is not always the one that the process runs as; `None` for the system's."""
    container: Container | None = None
    """The innermost."""
    application: str | None = None
    """The desktop's name for the program: `flatpak:org.gnome.Builder`, `snap:firefox`, `desktop:code`."""


def place(cgroup: str, engines: Iterable[Engine]) -> Placement:
    """The placement by a cgroup's path: that of version 2, or of the hierarchy `name=systemd`. Never raises."""
    names = parts(cgroup)
    container, begin, end = _innermost(names, engines)
    outside, inside = names[:begin], names[end:]
    unit, is_users = _unit(inside)
    if unit is None:
        unit, is_users = _unit(outside)
    owner = next((int(found[1] or found[2]) for name in outside if (found := _OWNER.fullmatch(name))), _UID_MAX)
    application = _application(outside)
    return Placement(unit, is_users, owner if owner < _UID_MAX else None, container, application)


def application_of_path(path: str) -> str | None:
    """The application whose mounted image an executable lies in: `/tmp/.mount_LM-StuAbCdEf/lm-studio`.

    The runtime of AppImages takes the first six characters of the image's name and six at random (`runtime.c`).
    """
    found = _APPIMAGE.fullmatch(path)
    return f"appimage:{found[1]}" if found else None


def _innermost(names: tuple[str, ...], engines: Iterable[Engine]) -> tuple[Container | None, int, int]:
    """The container, and from which name to which the path tells of it; without one, all names are outside."""
    candidates = [engine for engine in engines if engine.container("/".join(("", *names)))]
    for begin in range(len(names) - 1 if candidates else -1, -1, -1):
        for engine in candidates:
            if container := engine.container("/".join(("", *names[begin:]))):
                ends = range(begin + 1, len(names) + 1)
                return container, begin, next(end for end in ends if engine.container("/" + "/".join(names[begin:end])))
    return None, len(names), len(names)


def _unit(names: tuple[str, ...]) -> tuple[str | None, bool]:
    """(unit, whether a user's manager has it): the outermost behind the slices, as `cg_path_get_unit` of systemd."""
    is_users = False
    for name in names:
        if _MANAGER.fullmatch(name):
            is_users = True
        elif _UNIT.fullmatch(name):
            is_no_unit = _MADE_UP.fullmatch(name) or (name.endswith(".scope") and _SNAP.fullmatch(name))
            if is_no_unit or (is_users and _application_unit(name)):
                return None, False
            return unescaped(name)[:NAME_MAX], is_users
    return None, False


def _application(names: tuple[str, ...]) -> str | None:
    is_users = False
    for name in names:
        is_users = is_users or _MANAGER.fullmatch(name) is not None
        if found := _SNAP.fullmatch(name):
            return f"snap:{unescaped(found[1])}"
        if is_users and (application := _application_unit(name)):
            return application
    return None


def _application_unit(name: str) -> str | None:
    for kind, pattern in _APPLICATIONS:
        if found := pattern.fullmatch(name):
            return f"{kind}:{unescaped(found[1])[:NAME_MAX]}"
    return None
