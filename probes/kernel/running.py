"""What runs, and which files that may be models it has open, asked of the kernel at one moment."""

from modelwarden.probes.kernel.common import FileEvent, TaskEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import U8, U32, U64, PathTail, record


@record
class ProcessRunning(TaskEvent):
    """A process that runs; `tid` is a thread of it that lives, the first one as a rule."""

    parent_start_ns: U64
    parent_pid: U32
    reserved: U8
    path_cut: U8
    """1 when the path is longer than what the kernel walks: its beginning is missing."""
    path: PathTail
    """The executable as its mount namespace has it; `/` when it has none."""


@record
class FileHeld(FileEvent):
    """A process has a descriptor of a regular file; it says of the file what `FileOpened` says."""

    path: PathTail
    """As the mount namespace of the process has it; for a file without a name any more, the one that it had."""


PROBE: Probe = Probe(
    name="running",
    records=(ProcessRunning, FileHeld),
    hooks=(
        Hook(
            HookKind.ITERATOR,
            (
                Program(HookKind.ITERATOR, "task"),
                Program(HookKind.ITERATOR, "task_file"),
            ),
        ),
        Hook(HookKind.PROCFS, ()),
    ),
    reads={
        "bpf_iter_meta ?": ("seq",),
        "bpf_iter__task ?": ("meta", "task"),
        "bpf_iter__task_file ?": ("meta", "task", "file"),
        "task_struct": ("real_parent", "real_cred", "cgroups", "files", "pid"),
        "cred": ("uid = uid.val",),
        "css_set": ("dfl_cgrp",),
        "cgroup": ("kn",),
        "kernfs_node": ("id",),
        "mm_struct": ("exe_file",),
        "dentry": ("d_inode",),
        "backing_file ?": ("user_path_dentry = user_path.dentry ?", "user_path_mnt = user_path.mnt ?"),
    },
)
