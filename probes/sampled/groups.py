"""The paths of cgroups, asked of the kernel when a record first names one: they tell unit, session and container."""

import ctypes
import os
import struct
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from modelwarden.probes.cgroups import hierarchy
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.sampled.procfs import ProcessFound

KNOWN_MAX = 8_192
"""Cgroups that are not asked about again; the one that was seen longest ago leaves first."""
_KERNFS_HANDLE = 0xFE
"""FILEID_KERNFS of include/linux/exportfs.h: a handle is the identifier alone (kernel 5.5)."""
_HANDLE = struct.Struct("<IiQ")

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class GroupFound(Event):
    """A cgroup that processes of ours to watch live in."""

    cgroup: int
    """Identifier in the cgroup v2 hierarchy."""
    path: str
    """Below the root of that hierarchy: `/system.slice/ollama.service`."""


class Groups:
    """Names each cgroup before the first event that speaks of it, so that the core never waits for the answer.

    The file system of cgroups answers from memory and cannot hang. What was removed meanwhile stays unnamed.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root if root is not None else hierarchy()
        self._descriptor = -1
        if self._root is not None:
            self._descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._known: OrderedDict[int, None] = OrderedDict()

    def named(self, events: Iterable[Event]) -> list[Event]:
        """The same events, each cgroup named in front of the first event that speaks of it."""
        told: list[Event] = []
        for event in events:
            if isinstance(event, TaskEvent | ProcessFound) and event.cgroup:
                if event.cgroup in self._known:
                    self._known.move_to_end(event.cgroup)
                elif found := self._find(event.at, event.cgroup):
                    told.append(found)
            told.append(event)
        return told

    def close(self) -> None:
        """Lets go of the hierarchy."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _find(self, at: int, cgroup: int) -> GroupFound | None:
        self._known[cgroup] = None
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        path = self._path(cgroup)
        return None if path is None else GroupFound(at, cgroup, path)

    def _path(self, cgroup: int) -> str | None:
        """By its handle: to look for the number among the folders would take a walk over all of them."""
        if self._descriptor < 0:
            return None
        handle = ctypes.create_string_buffer(_HANDLE.pack(8, _KERNFS_HANDLE, cgroup), _HANDLE.size)
        descriptor: int = _libc.open_by_handle_at(self._descriptor, handle, os.O_PATH | os.O_CLOEXEC)
        if descriptor < 0:
            return None
        try:
            shown = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        except OSError:
            return None
        finally:
            os.close(descriptor)
        # One that was removed while it was looked at is shown with this behind its path.
        shown = shown.removesuffix(" (deleted)").removeprefix(str(self._root))
        return shown if shown.startswith("/") else f"/{shown}"
