"""Which files that may be models are mapped by what runs, asked of the kernel at one moment."""

from modelwarden.probes.kernel.common import FileEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import PathTail, record


@record
class MappingHeld(FileEvent):
    """A process has a regular file in its memory, with or without a descriptor of it."""

    path: PathTail
    """As the mount namespace of the process has it; for a file without a name any more, the one that it had."""


PROBE: Probe = Probe(
    name="mapped",
    records=(MappingHeld,),
    hooks=(
        Hook(HookKind.ITERATOR, (Program(HookKind.ITERATOR, "task_vma"),)),
        Hook(HookKind.PROCFS, ()),
    ),
    reads={
        "bpf_iter_meta ?": ("seq", "session_id"),
        "bpf_iter__task_vma ?": ("meta", "task", "vma"),
        "vm_area_struct": ("vm_file",),
        "task_struct": ("real_cred", "cgroups", "files", "pid"),
        "cred": ("uid = uid.val",),
        "css_set": ("dfl_cgrp",),
        "cgroup": ("kn",),
        "kernfs_node": ("id",),
        "dentry": ("d_inode",),
        "backing_file ?": ("user_path_dentry = user_path.dentry ?", "user_path_mnt = user_path.mnt ?"),
    },
)
