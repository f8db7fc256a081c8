"""A new process, seen in its parent before its first instruction."""

import os
from pathlib import Path

from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import U32, U64, record


@record
class ProcessForked(TaskEvent):
    """A process made another one (threads are none)."""

    child_start_ns: U64
    child_pid: U32
    reserved: U32


def _prove(_folder: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


PROBE: Probe = Probe(
    name="fork",
    records=(ProcessForked,),
    hooks=(
        Hook(
            HookKind.RAW_TRACEPOINT,
            (Program(HookKind.RAW_TRACEPOINT, "fork_raw_tracepoint", ("sched_process_fork",)),),
        ),
    ),
    reads={"task_struct": ("pid", "tgid")},
    prove=_prove,
)
