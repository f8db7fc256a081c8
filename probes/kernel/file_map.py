"""A file mapped that may be a model, by a process that was not seen opening it: the descriptor came from another."""

import mmap
import os
from pathlib import Path

from modelwarden.probes.kernel.common import REGISTERS, FileEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import PathTail, record


@record
class FileMapped(FileEvent):
    """A process mapped a regular file that it has not opened, as far as the kernel side has reported."""

    path: PathTail
    """As the mount namespace of the process has it."""


def _prove(folder: Path) -> None:
    descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR)  # whatever its name: proofs are watched
    os.write(descriptor, b"GGUF")
    mmap.mmap(descriptor, 0).close()
    os.close(descriptor)


PROBE: Probe = Probe(
    name="file_map",
    records=(FileMapped,),
    hooks=(
        Hook(HookKind.FENTRY, (Program(HookKind.FENTRY, "security_mmap_file"),)),
        Hook(
            HookKind.RAW_TRACEPOINT,
            (Program(HookKind.RAW_TRACEPOINT, "ends_of_calls", ("sys_exit",)),),
        ),
    ),
    reads={
        "task_struct": ("files",),
        "files_struct": ("fdt",),
        "fdtable": ("fd", "max_fds"),
        "pt_regs": REGISTERS,
    },
    prove=_prove,
)
