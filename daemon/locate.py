"""Finds the file that an event spoke of, whatever its path means by now.

The path belongs to the mount namespace of a hostile process: it is resolved beneath that process's
root, and what it leads to is believed only when device, inode, size and times are those of the
event. Nothing is opened for reading before that: opening a FIFO or a device has effects.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterator

from modelwarden.probes.inode import kernel_inode, mounted_inode

OPENED, CHANGED, GONE, UNREADABLE = b"opened", b"changed", b"gone", b"unreadable"
SYS_OPENAT2 = 437
RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS = 0x01, 0x02, 0x04
RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x08, 0x10
LOOK = os.O_PATH | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
DESCRIPTORS_LIMIT = 4096
MAPS_LIMIT = 65_536
MAPPED_LIMIT = 64
"""Different files among the mappings of a process that may be the wanted one."""
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ESRCH, errno.ENXIO}

_libc = ctypes.CDLL(None, use_errno=True)


class Request:
    """Which file is wanted, as one message: `device inode size mtime ctime pids`, NUL, path."""

    __slots__ = ("ctime_ns", "device", "inode", "mtime_ns", "path", "pids", "size")

    def __init__(self, identity: tuple[int, int, int, int, int], path: bytes, pids: tuple[int, ...]) -> None:
        self.device, self.inode, self.size, self.mtime_ns, self.ctime_ns = identity
        self.path = path
        self.pids = pids

    def encode(self) -> bytes:
        """The message."""
        numbers = (self.device, self.inode, self.size, self.mtime_ns, self.ctime_ns, *self.pids)
        return b" ".join(b"%d" % number for number in numbers) + b"\0" + self.path

    @staticmethod
    def decode(message: bytes) -> "Request":
        """The reverse of `encode`."""
        head, _, path = message.partition(b"\0")
        device, inode, size, mtime_ns, ctime_ns, *pids = map(int, head.split())
        return Request((device, inode, size, mtime_ns, ctime_ns), path, tuple(pids))


def locate(request: Request) -> tuple[int, bytes]:
    """A descriptor open for reading with `OPENED`, else -1 with the outcome, a reason behind a blank."""
    verdict, trouble = GONE, b""
    errors: list[OSError] = []
    for candidate, is_named in _candidates(request, errors):
        try:
            match = _compare(request, candidate)
            if match == OPENED:
                descriptor = reopen(candidate)
                if _compare(request, descriptor) == OPENED:
                    return descriptor, OPENED
                os.close(descriptor)
                match = CHANGED
            if match == CHANGED or is_named:
                verdict = CHANGED
        except OSError as error:
            errors.append(error)
        finally:
            os.close(candidate)
    if verdict is GONE and errors:
        verdict, trouble = UNREADABLE, b" " + os.strerror(errors[0].errno or 0).encode()
    return -1, verdict + trouble


def _candidates(request: Request, errors: list[OSError]) -> Iterator[tuple[int, bool]]:
    """Descriptors that may be the file, opened without a right to read, and whether the path led there."""
    for pid in request.pids:
        # What it holds comes first: resolving a path asks every file system on the way, and a hostile
        # process can lead the path through one that never answers.
        for link in (*_held(pid, request.inode), *_mapped(pid, request)):
            try:
                yield os.open(link, LOOK), False
            except OSError as error:
                _note(error, errors)
        yield from _named(b"/proc/%d/root" % pid, request.path, errors)
    # The processes may be gone: a command that read the file and ended.
    yield from _named(b"/", request.path, errors)


def _named(root: bytes, path: bytes, errors: list[OSError]) -> Iterator[tuple[int, bool]]:
    if not path.startswith(b"/") or b"\0" in path:
        return
    try:
        top = os.open(root, LOOK | os.O_DIRECTORY)
    except OSError as error:
        _note(error, errors)
        return
    try:
        found = open_beneath(top, path)
    except OSError as error:
        _note(error, errors)
        return
    finally:
        os.close(top)
    yield found, True


class _OpenHow(ctypes.Structure):
    """`struct open_how` of linux/openat2.h."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(
    top: int, path: bytes, flags: int = LOOK, resolve: int = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
) -> int:
    """openat2 (Linux 5.6). Unless told otherwise every link in the path, absolute ones too, resolves below `top`."""
    how = _OpenHow(flags, 0, resolve)
    for _ in range(16):
        descriptor = int(
            _libc.syscall(ctypes.c_long(SYS_OPENAT2), top, ctypes.c_char_p(path), ctypes.byref(how), ctypes.sizeof(how))
        )
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        # A rename somewhere above the path makes the kernel ask for another try.
        if number != errno.EAGAIN:
            break
    raise OSError(number, os.strerror(number))


def _held(pid: int, inode: int) -> list[bytes]:
    """The open files of a process with this inode: `ino` in fdinfo (Linux 5.14) asks no file system, a stat would."""
    folder = b"/proc/%d/" % pid
    found = []
    try:
        for name in os.listdir(folder + b"fdinfo")[:DESCRIPTORS_LIMIT]:  # noqa: PTH208  (pathlib is memory)
            with open(folder + b"fdinfo/" + name, "rb") as info:  # noqa: PTH123
                fields = info.read(4096).split()
            if b"ino:" not in fields or int(fields[fields.index(b"ino:") + 1]) == inode:
                found.append(folder + b"fd/" + name)
    except (OSError, ValueError):
        pass  # it closed the file or ended: what was found so far is all there is
    return found


def _mapped(pid: int, request: Request) -> list[bytes]:
    """Mappings of files with this inode or path, those on the device first: a file may be mapped and closed.

    Before Linux 6.8 the mappings of overlayfs show the inode of a layer, so the path counts as well. Inodes alone do
    not tell: a process can map many files with one number, on file systems that it made for that.
    """
    wanted = (request.device, request.inode)
    found: dict[tuple[int, int, bytes], bytes] = {}
    try:
        with open(b"/proc/%d/maps" % pid, "rb") as maps:  # noqa: PTH123
            for _, line in zip(range(MAPS_LIMIT), maps, strict=False):
                fields = line.rstrip(b"\n").split(None, 5)
                if len(fields) < 6:
                    continue
                inode, name = int(fields[4]), fields[5]
                if inode != request.inode and name.removesuffix(b" (deleted)") != request.path:
                    continue
                major, _, minor = fields[3].partition(b":")
                device = os.makedev(int(major, 16), int(minor, 16))
                if len(found) >= MAPPED_LIMIT and (device, inode) != wanted:
                    continue
                start, _, end = fields[0].partition(b"-")
                link = b"/proc/%d/map_files/%x-%x" % (pid, int(start, 16), int(end, 16))
                found.setdefault((device, inode, name), link)
    except (OSError, ValueError):
        pass
    return [link for _, link in sorted(found.items(), key=lambda item: item[0][:2] != wanted)]


def _compare(request: Request, descriptor: int) -> bytes:
    """`OPENED` for the wanted file in the wanted state, `CHANGED` in another, `GONE` for another file."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        return GONE
    wanted = (request.device, request.inode)
    if (found.st_dev, found.st_ino) != wanted and _kernel_side(request, descriptor, found) != wanted:
        return GONE
    state = (found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return OPENED if state == (request.size, request.mtime_ns, request.ctime_ns) else CHANGED


def _kernel_side(request: Request, descriptor: int, found: os.stat_result) -> tuple[int, int] | None:
    """Device and inode as the kernel has them, asked only where stat says something else than the event."""
    if os.major(found.st_dev) != 0:
        return None  # a disk's own number: what stat shows here is the kernel's
    asked = kernel_inode(b"/proc/self/fd/%d" % descriptor)
    if asked is not None:
        return asked
    try:
        with open(b"/proc/self/fdinfo/%d" % descriptor, "rb") as info:  # noqa: PTH123
            fdinfo = info.read(4096)
    except OSError:
        return None
    # Numbers of mounts are the whole machine's, but each process is shown those of its namespace below its root.
    processes = (*(b"%d" % pid for pid in request.pids), b"self")
    return mounted_inode(fdinfo, found.st_ino, (b"/proc/%b/mountinfo" % one for one in processes))


def reopen(candidate: int) -> int:
    """A descriptor for reading what `candidate` was opened to look at; raises `OSError`."""
    link = b"/proc/self/fd/%d" % candidate
    try:
        return os.open(link, READ | os.O_NOATIME)
    except PermissionError:  # not our file, without CAP_FOWNER
        return os.open(link, READ)


def _note(error: OSError, errors: list[OSError]) -> None:
    if error.errno not in ABSENT:
        errors.append(error)
