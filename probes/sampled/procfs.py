"""What was there before us: processes that run, candidate files that they hold open or mapped, read from /proc."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelwarden.probes.candidate import candidate
from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.event import Event
from modelwarden.probes.wire import ARGUMENT_BYTES_MAX, decode_arguments

NOBODY = 4294967295
_START_FIELD, _PARENT_FIELD = 19, 1
"""Positions in /proc/PID/stat behind the name, which may hold any character: proc(5) counts from 1, with the name."""
_KERNEL_THREAD = 0x00200000  # PF_KTHREAD of include/linux/sched.h
_FLAGS_FIELD = 6


@dataclass(frozen=True, slots=True)
class ProcessFound(Event):
    """A process that ran when we looked."""

    pid: int
    start_ns: int
    """To the clock tick only (10 ms): procfs knows no better."""
    parent_pid: int
    uid: int
    login_uid: int
    mount_ns: int
    pid_ns: int
    path: str | None
    """The executable, `None` when it cannot be read."""
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileFound(Event):
    """A candidate file that a process held when we looked."""

    pid: int
    start_ns: int
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    path: str
    reasons: int
    """`Candidate` bits."""
    mapped: bool
    """Mapped into memory; otherwise an open descriptor."""
    writable: bool
    """Opened for writing only, so not read."""


@dataclass(frozen=True, slots=True)
class Resynced(Event):
    """The look at the running system is complete: what it did not report is gone."""

    processes: int


class Procfs:
    """A `Source` over /proc. A process that ends while we look is left out, never an error."""

    def __init__(self, large_bytes: int, ours: frozenset[int] = frozenset(), root: Path = Path("/proc")) -> None:
        self._large_bytes = large_bytes
        self._ours = ours
        self._root = root

    def sample(self, at: int) -> Iterator[Event]:
        """Every process with its candidate files, then `Resynced`."""
        count = 0
        for pid in sorted(int(entry.name) for entry in self._root.iterdir() if entry.name.isdigit()):
            events = self._process(at, pid)
            count += bool(events)
            yield from events
        yield Resynced(at, count)

    def one(self, at: int, pid: int) -> list[Event]:
        """A single process with its candidate files; empty when it is gone."""
        return self._process(at, pid)

    def _process(self, at: int, pid: int) -> list[Event]:
        folder = self._root / str(pid)
        try:
            fields = _stat_fields(folder)
            parent = int(fields[_PARENT_FIELD])
            if int(fields[_FLAGS_FIELD]) & _KERNEL_THREAD or not {pid, parent}.isdisjoint(self._ours):
                return []
            start_ns = int(fields[_START_FIELD]) * TICK_NS
            found: list[Event] = [self._found(at, pid, start_ns, parent, folder)]
            found += self._held(at, pid, start_ns, folder)
            # The number may have been given to another process while we read.
            return found if int(_stat_fields(folder)[_START_FIELD]) * TICK_NS == start_ns else []
        except (OSError, ValueError, IndexError, StopIteration):
            return []

    def _found(self, at: int, pid: int, start_ns: int, parent: int, folder: Path) -> ProcessFound:
        with (folder / "cmdline").open("rb") as file:
            raw = file.read(ARGUMENT_BYTES_MAX)
        return ProcessFound(
            at=at,
            pid=pid,
            start_ns=start_ns,
            parent_pid=parent,
            uid=_uid(folder),
            login_uid=_number(folder / "loginuid", NOBODY),
            mount_ns=(folder / "ns/mnt").stat().st_ino,
            pid_ns=(folder / "ns/pid").stat().st_ino,
            path=_link(folder / "exe"),
            arguments=decode_arguments(raw),
        )

    def _held(self, at: int, pid: int, start_ns: int, folder: Path) -> Iterator[FileFound]:
        seen: set[tuple[int, int]] = set()
        for link in (*_entries(folder / "fd"), *self._mapped(folder)):
            mapped = link.parent.name == "map_files"
            path = _link(link)
            if path is None or not path.startswith("/"):
                continue
            path = path.removesuffix(" (deleted)")
            try:
                facts = link.stat()
            except OSError:
                continue
            reasons = candidate(path.rpartition("/")[2], facts.st_size, self._large_bytes)
            if not reasons or not stat.S_ISREG(facts.st_mode) or (facts.st_dev, facts.st_ino) in seen:
                continue
            writable = not mapped and _write_only(folder / "fdinfo" / link.name)
            if not writable:  # or a descriptor for writing would hide one for reading
                seen.add((facts.st_dev, facts.st_ino))
            yield FileFound(
                at=at,
                pid=pid,
                start_ns=start_ns,
                device=facts.st_dev,
                inode=facts.st_ino,
                size=facts.st_size,
                mtime_ns=facts.st_mtime_ns,
                ctime_ns=facts.st_ctime_ns,
                path=path,
                reasons=int(reasons),
                mapped=mapped,
                writable=writable,
            )

    def _mapped(self, folder: Path) -> Iterator[Path]:
        """One entry of map_files for each mapped file that may be a candidate: most are libraries, told by name."""
        mapped: dict[str, tuple[str, str, int]] = {}
        for line in _lines(folder / "maps"):
            parts = line.split(None, 5)
            if len(parts) < 6 or parts[4] == "0":
                continue
            # A range in map_files has no leading zeros, one in maps may.
            start, end = (int(bound, 16) for bound in parts[0].split("-"))
            file = f"{parts[3]} {parts[4]}"
            _, _, before = mapped.get(file, ("", "", 0))
            mapped[file] = (f"{start:x}-{end:x}", parts[5], before + end - start)
        for extent, path, size in mapped.values():
            if candidate(path.removesuffix(" (deleted)").rpartition("/")[2], size, self._large_bytes):
                yield folder / "map_files" / extent


def _stat_fields(folder: Path) -> list[str]:
    return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()


def _uid(folder: Path) -> int:
    return int(next(line for line in _lines(folder / "status") if line.startswith("Uid:")).split()[1])


def _lines(file: Path) -> list[str]:
    """The kernel escapes the newlines in names, but not what else would end a line to `str.splitlines`."""
    return os.fsdecode(file.read_bytes()).split("\n")


def _number(file: Path, default: int) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return default


def _link(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _write_only(fdinfo: Path) -> bool:
    try:
        line = next(line for line in fdinfo.read_text().splitlines() if line.startswith("flags:"))
    except (OSError, StopIteration):
        return False
    return int(line.split()[1], 8) & os.O_ACCMODE == os.O_WRONLY


def start_of(pid: int) -> int:
    """When a process started, boot nanoseconds to the clock tick; `OSError` when it is gone."""
    return int(_stat_fields(Path("/proc") / str(pid))[_START_FIELD]) * TICK_NS
