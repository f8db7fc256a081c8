"""What every kernel record says of the process that caused it, with the kernel fields that common.h reads."""

from modelwarden.probes.event import Event
from modelwarden.probes.probe import Reads
from modelwarden.probes.wire import U8, U16, U32, U64, record


@record
class TaskEvent(Event):
    """A fact that a process caused."""

    pid: U32
    """Thread group, in the initial pid namespace."""
    tid: U32
    start_ns: U64
    """When the process started, boot nanoseconds; (pid, start) is its identity."""
    cgroup: U64
    """Identifier in the cgroup v2 hierarchy."""
    uid: U32
    """In the initial user namespace."""
    login_uid: U32
    """Who logged in, kept over sudo and su; 4294967295 when nobody did."""
    mount_ns: U32
    """Inode number of the mount namespace, as in /proc/PID/ns/mnt."""
    pid_ns: U32


@record
class FileEvent(TaskEvent):
    """A fact about a regular file that a process uses."""

    device: U64
    """As the kernel's superblock has it; on btrfs and overlayfs `stat` shows another."""
    inode: U64
    size: U64
    """0 for an open that empties it."""
    mtime_ns: U64
    ctime_ns: U64
    open_flags: U32
    """`file->f_flags`, as in open(2); O_CREAT, O_EXCL and O_TRUNC only by fentry, which sees the open begin."""
    reasons: U16
    """Why the filter let it through: `Candidate` bits."""
    path_cut: U8
    """1 when the path is longer than what the kernel walks: its beginning is missing."""
    created: U8
    """1 when the file was made by this open."""


REGISTERS = (
    "number = orig_ax | syscallno",
    *("bx ?", "cx ?", "dx ?", "si ?", "di ?", "r8 ?", "r10 ?"),
    "registers = regs ?",
)
"""Of `pt_regs`, where the ends of system calls are looked at: the number and the arguments of a call."""

READS: Reads = {
    "task_struct": (
        "flags",
        "tgid",
        "mm",
        "io_worker = worker_private | pf_io_worker ?",
        "thread_status = thread_info.status ?",
        "group_leader",
        "start_boottime",
        "loginuid = loginuid.val ?",
        "nsproxy",
        "thread_pid",
    ),
    "nsproxy": ("mnt_ns",),
    "mnt_namespace": ("inum = ns.inum",),
    "pid_namespace": ("inum = ns.inum",),
    "pid": ("level", "numbers"),
    "upid": ("ns",),
    "inode": (
        "i_mode",
        "i_sb",
        "i_ino",
        "i_size",
        "i_mtime_sec = i_mtime_sec | __i_mtime.tv_sec | i_mtime.tv_sec",
        "i_mtime_nsec = i_mtime_nsec | __i_mtime.tv_nsec | i_mtime.tv_nsec",
        "i_ctime_sec = i_ctime_sec | __i_ctime.tv_sec | i_ctime.tv_sec",
        "i_ctime_nsec = i_ctime_nsec | __i_ctime.tv_nsec | i_ctime.tv_nsec",
    ),
    "super_block": ("s_dev",),
    "mm_struct": ("owner",),
    "file": ("f_inode", "f_flags", "f_mode", "f_path_dentry = f_path.dentry", "f_path_mnt = f_path.mnt"),
    "dentry": ("d_parent", "d_name = d_name.name"),
    "vfsmount": ("mnt_root",),
    "mount": ("mnt_parent", "mnt_mountpoint", "mnt"),
}
"""`i_ctime_sec` since 6.11, `__i_ctime` since 6.6, `i_ctime` before: include/linux/fs.h."""
