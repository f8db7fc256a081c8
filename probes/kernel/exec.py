"""A program that a process became, with its arguments as they were at that moment."""

import os
from pathlib import Path

from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import U8, U16, U32, U64, ArgumentsTail, PathTail, record


@record
class ProcessExecuted(TaskEvent):
    """A process became another program."""

    parent_start_ns: U64
    device: U64
    """Of the executable, as the superblock of its file system has it."""
    inode: U64
    ctime_ns: U64
    parent_pid: U32
    reserved: U16
    path_cut: U8
    """1 when the path is longer than what the kernel walks: its beginning is missing."""
    arguments_cut: U8
    """1 when there were more than 4 KiB, or the kernel could not read them."""
    path: PathTail
    """The executable as its mount namespace has it; for a script, its interpreter."""
    arguments: ArgumentsTail


def _prove(_folder: Path) -> None:
    os.waitpid(os.posix_spawn("/proc/self/exe", ["/proc/self/exe", "-I", "-S", "-c", ""], {}), 0)


PROBE: Probe = Probe(
    name="exec",
    records=(ProcessExecuted,),
    hooks=(
        Hook(
            HookKind.RAW_TRACEPOINT,
            (Program(HookKind.RAW_TRACEPOINT, "exec_raw_tracepoint", ("sched_process_exec",)),),
        ),
    ),
    reads={
        "task_struct": ("real_parent", "tgid", "mm"),
        "mm_struct": ("exe_file", "arg_start", "arg_end"),
    },
    prove=_prove,
)
