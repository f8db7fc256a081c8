"""What every kernel record says of the process that caused it, with the kernel fields that common.h reads."""

from modelwarden.probes.event import Event
from modelwarden.probes.probe import Reads
from modelwarden.probes.wire import U32, U64, record


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


READS: Reads = {
    "task_struct": (
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
    "file": ("f_inode", "f_flags", "f_path_dentry = f_path.dentry", "f_path_mnt = f_path.mnt"),
    "dentry": ("d_parent", "d_name = d_name.name"),
    "vfsmount": ("mnt_root",),
    "mount": ("mnt_parent", "mnt_mountpoint", "mnt"),
}
"""`i_ctime_sec` since 6.11, `__i_ctime` since 6.6, `i_ctime` before: include/linux/fs.h."""
