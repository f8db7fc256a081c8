"""A file that matters was renamed, linked, removed or truncated: a model, or one that a policy names."""

from enum import IntEnum
from pathlib import Path

from modelwarden.probes.kernel.common import REGISTERS, TaskEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import U8, U16, U64, PlaceTail, record


class Change(IntEnum):
    """What was done."""

    RENAME = 1
    EXCHANGE = 2
    """Two files have changed names."""
    LINK = 3
    """The file has one more name."""
    SYMLINK = 4
    UNLINK = 5
    TRUNCATE = 6
    """It was cut, grown or, by an open with O_TRUNC, emptied; the latter is seen by fentry only."""


@record
class FileChanged(TaskEvent):
    """A process renamed, linked, removed or truncated a file.

    A file made by open(2) is an open (`FileOpened.created`). One made by mknod(2) is empty, and is reported when
    somebody opens it to write.
    """

    device: U64
    """Of the file that is changed, before the change. Zero, as all up to `other_inode`, for a new symbolic link. Calls
    have names only: by the raw tracepoint it is zero, except for ftruncate(2), where it is of the state afterwards."""
    inode: U64
    size: U64
    mtime_ns: U64
    ctime_ns: U64
    other_device: U64
    """Of the file that the change replaces, or that an exchange gives the name `source`."""
    other_inode: U64
    action: U16
    """A `Change`."""
    reasons: U16
    """Why the filter let it through: `Candidate` bits."""
    path_cut: U8
    """1 when the path is longer than what the kernel walks: its beginning is missing."""
    source_cut: U8
    path: PlaceTail
    """The name afterwards; the file itself where it is removed or truncated. As the mount namespace of the process has
    it. By the raw tracepoint links in it are not followed, and another thread can have rewritten it meanwhile."""
    source: PlaceTail
    """The name before, of a rename, an exchange or a link; a symbolic link's target, as it was given; else empty."""


_FUNCTIONS = (
    *("path_rename", "path_link", "path_symlink", "path_unlink", "path_truncate"),
    *("inode_rename", "inode_link", "inode_symlink", "inode_unlink"),
)


def _fentry(function: str, lacking: str | None = None) -> Program:
    return Program(HookKind.FENTRY, f"security_{function}", lacking=lacking)


def _prove(folder: Path) -> None:
    (folder / "change.new").touch()
    (folder / "change.new").rename(folder / "change.gguf")


PROBE: Probe = Probe(
    name="file_change",
    records=(FileChanged,),
    values=(Change,),
    hooks=(
        Hook(
            HookKind.FENTRY,
            (
                *(_fentry(function) for function in _FUNCTIONS),
                # Since 6.2; before, path_truncate is called for a descriptor too.
                _fentry("file_truncate", lacking="a truncation by descriptor or by open"),
            ),
        ),
        Hook(
            HookKind.RAW_TRACEPOINT,
            (Program(HookKind.RAW_TRACEPOINT, "ends_of_calls", ("sys_exit",)),),
            blind=("__io_uring_free", "changes through io_uring, nor which file had the name"),
        ),
    ),
    reads={
        "pt_regs": REGISTERS,
        "task_struct": ("files", "fs"),
        "files_struct": ("fdt",),
        "fdtable": ("fd", "max_fds"),
        "fs_struct": (
            "root_dentry = root.dentry",
            "root_mnt = root.mnt",
            "pwd_dentry = pwd.dentry",
            "pwd_mnt = pwd.mnt",
        ),
        "path": ("dentry", "mnt"),
        "dentry": ("d_inode",),
    },
    prove=_prove,
)
