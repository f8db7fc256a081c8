"""A file opened that may be a model, that a policy names, or that a watched process opened."""

from pathlib import Path

from modelwarden.probes.kernel.common import REGISTERS, FileEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import PathTail, record


@record
class FileOpened(FileEvent):
    """A process opened a regular file; repetitions are counted in the kernel (sampled/opens.py)."""

    path: PathTail
    """As the mount namespace of the process has it."""


_IO_URING = Program(
    HookKind.RAW_TRACEPOINT,
    "file_open_io_uring",
    ("io_uring_complete",),
    needs=("io_kiocb", "cqe"),
    lacking="an open through io_uring",
)


def _prove(folder: Path) -> None:
    (folder / "open.gguf").write_bytes(b"GGUF")
    (folder / "open.gguf").read_bytes()


PROBE: Probe = Probe(
    name="file_open",
    records=(FileOpened,),
    hooks=(
        Hook(HookKind.FENTRY, (Program(HookKind.FENTRY, "security_file_open"),)),
        Hook(
            HookKind.TRACEPOINT,
            (
                Program(
                    HookKind.TRACEPOINT,
                    "file_open_tracepoint",
                    (
                        "syscalls:sys_exit_openat",
                        "syscalls:sys_exit_openat2",
                        "syscalls:sys_exit_open",
                        "syscalls:sys_exit_creat",
                        "syscalls:sys_exit_open_by_handle_at",
                    ),
                ),
                _IO_URING,
            ),
            blind=("__ia32_sys_creat", "32-bit system calls, which this kernel takes from every program"),
        ),
        Hook(
            HookKind.RAW_TRACEPOINT,
            (Program(HookKind.RAW_TRACEPOINT, "ends_of_calls", ("sys_exit",)), _IO_URING),
        ),
    ),
    reads={
        "task_struct": ("files",),
        "files_struct": ("fdt",),
        "fdtable": ("fd", "max_fds"),
        "pt_regs": REGISTERS,
        "io_kiocb ?": ("opcode ?", "result = cqe.res ?", "command = cmd ?"),
        "io_open ?": ("file_slot ?",),
        "io_ring_ctx ?": ("file_nodes = file_table.data.nodes ?", "file_slots = file_table.files ?"),
        "io_rsrc_node ?": ("file_ptr ?",),
    },
    prove=_prove,
)
