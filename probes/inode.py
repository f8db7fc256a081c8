"""Which inode a file is to the kernel: device of the superblock, number of the inode, as kernel records have them.

`stat` is the file system's own word: btrfs shows a device for each subvolume and overlayfs those of its layers,
with their inode numbers. Small, because the opener imports it.
"""

import ctypes
import os
from collections.abc import Iterable

MOUNTS_LIMIT = 4 << 20
"""Bytes of one mountinfo: a process may fill that of its own namespace."""
_LOOK_ONLY = 0x400
"""IN_DELETE_SELF: a watch must wait for something, and this hardly ever comes."""
_MINOR_BITS = 20
"""Of the kernel's own device numbers: include/linux/kdev_t.h."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Watches:
    """An inotify descriptor for good: closing one waits for all processors, some 10 ms."""

    __slots__ = ("descriptor",)

    def __init__(self) -> None:
        self.descriptor = -1

    def ready(self) -> bool:
        """Whether there is one; the limit of a user's (`max_user_instances`) may be used up."""
        if self.descriptor < 0:
            self.descriptor = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        return self.descriptor >= 0


_watches = _Watches()


def kernel_inode(link: bytes) -> tuple[int, int] | None:
    """Device and inode of the file to which a link in /proc leads; `None` where inotify has no room or no right.

    The kernel shows them in the fdinfo of whoever watches an inode (fs/notify/fdinfo.c, Linux 3.8), also where no
    mount leads to it: a memfd, a file of another mount namespace. The watch is taken back at once.
    """
    if not _watches.ready():
        return None
    watch = _libc.inotify_add_watch(_watches.descriptor, link, ctypes.c_uint32(_LOOK_ONLY))
    if watch < 0:
        return None
    try:
        with open(b"/proc/self/fdinfo/%d" % _watches.descriptor, "rb") as info:  # noqa: PTH123  (pathlib is memory)
            shown = info.read(1 << 14)
    except OSError:
        return None
    finally:
        _libc.inotify_rm_watch(_watches.descriptor, watch)
        _forget_events()
    for line in shown.split(b"\n"):
        fields = line.split()
        if fields[:2] == [b"inotify", b"wd:%x" % watch]:
            known = dict(field.split(b":", 1) for field in fields[2:4])
            return _device(int(known[b"sdev"], 16)), int(known[b"ino"], 16)
    return None


def mounted_inode(fdinfo: bytes, inode: int, mountinfos: Iterable[bytes]) -> tuple[int, int] | None:
    """The same for a descriptor by its mount, which one of `mountinfos` must list; `None` when none does.

    `inode` is what stat shows, taken before Linux 5.14, when fdinfo has no `ino`; on overlayfs that is not certain.
    """
    words = fdinfo.split()
    mount = _behind(words, b"mnt_id:")
    number = _behind(words, b"ino:")
    for mountinfo in mountinfos:
        device = _device_of_mount(mountinfo, mount) if mount is not None else None
        if device is not None:
            return device, inode if number is None else int(number)
    return None


def _device_of_mount(mountinfo: bytes, mount: bytes) -> int | None:
    """The third field of the mount's line. Fields behind it are the text of whoever mounted; the kernel escapes it."""
    left = MOUNTS_LIMIT
    try:
        with open(mountinfo, "rb") as lines:  # noqa: PTH123
            for line in lines:
                fields = line.split(None, 3)
                left -= len(line)
                if left < 0:
                    break
                if len(fields) > 3 and fields[0] == mount:
                    major, _, minor = fields[2].partition(b":")
                    return os.makedev(int(major), int(minor))
    except (OSError, ValueError):
        pass  # the process ended
    return None


def _behind(words: list[bytes], key: bytes) -> bytes | None:
    at = words.index(key) + 1 if key in words else len(words)
    return words[at] if at < len(words) else None


def _device(kernel: int) -> int:
    return os.makedev(kernel >> _MINOR_BITS, kernel & ((1 << _MINOR_BITS) - 1))


def _forget_events() -> None:
    """Each watch that ends leaves one event."""
    try:
        while os.read(_watches.descriptor, 1 << 12):
            pass
    except BlockingIOError:
        pass
