"""What was there before us: processes that run, candidate files that they hold open or mapped, read from /proc."""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelwarden.probes.candidate import candidate
from modelwarden.probes.cgroups import hierarchy
from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.event import Event
from modelwarden.probes.inode import kernel_inode, mounted_inode
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
    cgroup: int = 0
    """Identifier in the cgroup v2 hierarchy; 0 when it is not known."""


@dataclass(frozen=True, slots=True)
class FileFound(Event):
    """A candidate file that a process held when we looked."""

    pid: int
    start_ns: int
    device: int
    """As the kernel's superblock has it, like the inode."""
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


Link = tuple[Path, tuple[int, int] | None]
"""An entry below /proc/PID that leads to a file, with the device and inode that /proc/PID/maps shows for a mapping."""


class Procfs:
    """A `Source` over /proc. A process that ends while we look is left out, never an error."""

    def __init__(
        self,
        large_bytes: int,
        ours: frozenset[int] = frozenset(),
        root: Path = Path("/proc"),
        libraries: Collection[bytes] = (),
    ) -> None:
        """`ours` are left out; `libraries` are heads of names (`candidate.library_head`)."""
        self._large_bytes = large_bytes
        self._libraries = libraries
        self._hierarchy = hierarchy()
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

    def mapped(self, at: int, pid: int) -> list[FileFound]:
        """The candidate files that a process has mapped, and nothing else; empty when it is gone."""
        folder = self._root / str(pid)
        try:
            links = list(self._mapped(folder))
            start_ns = int(_stat_fields(folder)[_START_FIELD]) * TICK_NS if links else 0
            return list(self._held(at, pid, start_ns, folder, links))
        except (OSError, ValueError, IndexError):
            return []

    def _process(self, at: int, pid: int) -> list[Event]:
        folder = self._root / str(pid)
        try:
            fields = _stat_fields(folder)
            parent = int(fields[_PARENT_FIELD])
            if int(fields[_FLAGS_FIELD]) & _KERNEL_THREAD or not {pid, parent}.isdisjoint(self._ours):
                return []
            start_ns = int(fields[_START_FIELD]) * TICK_NS
            found: list[Event] = [self._found(at, pid, start_ns, parent, folder)]
            descriptors = ((link, None) for link in _entries(folder / "fd"))
            found += self._held(at, pid, start_ns, folder, (*descriptors, *self._mapped(folder)))
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
            cgroup=self._cgroup(folder),
        )

    def _cgroup(self, folder: Path) -> int:
        """The number of its folder in the v2 hierarchy is its identifier."""
        try:
            path = next((line[3:] for line in _lines(folder / "cgroup") if line.startswith("0::")), None)
            if path is None or self._hierarchy is None:
                return 0
            return Path(f"{self._hierarchy}{path}").stat().st_ino
        except OSError:  # it was removed, or lies outside of our own
            return 0

    def _held(self, at: int, pid: int, start_ns: int, folder: Path, links: Iterable[Link]) -> Iterator[FileFound]:
        # With the state: subvolumes of btrfs have inode numbers of their own on one device.
        seen: set[tuple[int, ...]] = set()
        for link, inode in links:
            path = _link(link)
            if path is None or not path.startswith("/"):
                continue
            path = path.removesuffix(" (deleted)")
            try:
                facts = link.stat()
            except OSError:
                continue
            reasons = candidate(path.rpartition("/")[2], facts.st_size, self._large_bytes, self._libraries)
            if not reasons or not stat.S_ISREG(facts.st_mode):
                continue
            mapped = inode is not None
            fdinfo = b"" if mapped else _fdinfo(folder / "fdinfo" / link.name)
            file = self._kernel_side(link, facts) or inode or self._by_mount(folder, facts, fdinfo)
            in_state = (*file, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
            if in_state in seen:
                continue
            writable = not mapped and _write_only(fdinfo)
            if not writable:  # or a descriptor for writing would hide one for reading
                seen.add(in_state)
            yield FileFound(
                at=at,
                pid=pid,
                start_ns=start_ns,
                device=file[0],
                inode=file[1],
                size=facts.st_size,
                mtime_ns=facts.st_mtime_ns,
                ctime_ns=facts.st_ctime_ns,
                path=path,
                reasons=int(reasons),
                mapped=mapped,
                writable=writable,
            )

    def _kernel_side(self, link: Path, facts: os.stat_result) -> tuple[int, int] | None:
        # Where the device is a disk's own number, what stat shows is what the kernel has.
        return (facts.st_dev, facts.st_ino) if os.major(facts.st_dev) else kernel_inode(os.fsencode(link))

    def _by_mount(self, folder: Path, facts: os.stat_result, fdinfo: bytes) -> tuple[int, int]:
        mountinfos = (os.fsencode(one / "mountinfo") for one in (folder, self._root / "self"))
        return mounted_inode(fdinfo, facts.st_ino, mountinfos) or (facts.st_dev, facts.st_ino)

    def _mapped(self, folder: Path) -> Iterator[Link]:
        """Each mapped file that may be a candidate, most being libraries, told by name: its entry of map_files.

        With the device and inode that maps shows: those of the kernel, but on overlayfs before Linux 6.8 a layer's.
        """
        mapped: dict[tuple[str, str, str], tuple[str, int]] = {}
        for line in _lines(folder / "maps"):
            parts = line.split(None, 5)
            if len(parts) < 6 or parts[4] == "0":
                continue
            # A range in map_files has no leading zeros, one in maps may.
            start, end = (int(bound, 16) for bound in parts[0].split("-"))
            file = (parts[3], parts[4], parts[5])
            _, before = mapped.get(file, ("", 0))
            mapped[file] = (f"{start:x}-{end:x}", before + end - start)
        for (device, inode, path), (extent, size) in mapped.items():
            name = path.removesuffix(" (deleted)").rpartition("/")[2]
            if candidate(name, size, self._large_bytes, self._libraries):
                major, minor = (int(part, 16) for part in device.split(":"))
                yield folder / "map_files" / extent, (os.makedev(major, minor), int(inode))


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


def _fdinfo(file: Path) -> bytes:
    try:
        with file.open("rb") as info:
            return info.read(4096)
    except OSError:
        return b""


def _write_only(fdinfo: bytes) -> bool:
    line = next((line for line in fdinfo.splitlines() if line.startswith(b"flags:")), None)
    return line is not None and int(line.split()[1], 8) & os.O_ACCMODE == os.O_WRONLY


def start_of(pid: int) -> int:
    """When a process started, boot nanoseconds to the clock tick; `OSError` when it is gone."""
    return int(_stat_fields(Path("/proc") / str(pid))[_START_FIELD]) * TICK_NS
