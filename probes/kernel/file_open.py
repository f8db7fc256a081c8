"""A file opened that may be a model, or that a watched process opened."""

from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.probe import Hook, HookKind, Probe
from modelwarden.probes.wire import U16, U32, U64, PathTail, record


@record
class FileOpened(TaskEvent):
    """A process opened a regular file; repetitions are counted in the kernel (sampled/opens.py)."""

    device: U64
    """As stat shows it (`st_dev`)."""
    inode: U64
    size: U64
    mtime_ns: U64
    ctime_ns: U64
    open_flags: U32
    """`file->f_flags`, as in open(2)."""
    reasons: U16
    """Why the filter let it through: `Candidate` bits."""
    path_cut: U16
    """1 when the path is longer than what the kernel walks: its beginning is missing."""
    path: PathTail
    """As the mount namespace of the process has it."""


PROBE: Probe = Probe(
    name="file_open",
    records=(FileOpened,),
    hooks=(
        Hook(
            HookKind.TRACEPOINT,
            "file_open_tracepoint",
            (
                "syscalls:sys_exit_openat",
                "syscalls:sys_exit_openat2",
                "syscalls:sys_exit_open",
                "syscalls:sys_exit_creat",
            ),
        ),
        Hook(HookKind.RAW_TRACEPOINT, "file_open_raw_tracepoint", ("sys_exit",)),
    ),
    reads={
        "task_struct": ("files",),
        "files_struct": ("fdt",),
        "fdtable": ("fd", "max_fds"),
        "pt_regs": ("number = orig_ax | syscallno",),
    },
)
