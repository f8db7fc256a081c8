"""The end of a process, when its last thread is gone."""

import os
from pathlib import Path

from modelwarden.probes.kernel.common import TaskEvent
from modelwarden.probes.probe import Hook, HookKind, Probe, Program
from modelwarden.probes.wire import S32, U32, record


@record
class ProcessExited(TaskEvent):
    """A process ended."""

    exit_code: S32
    """As wait(2) encodes it."""
    reserved: U32


def _prove(_folder: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


PROBE: Probe = Probe(
    name="exit",
    records=(ProcessExited,),
    hooks=(
        Hook(
            HookKind.RAW_TRACEPOINT,
            (Program(HookKind.RAW_TRACEPOINT, "exit_raw_tracepoint", ("sched_process_exit",)),),
        ),
    ),
    reads={
        "task_struct": ("signal", "exit_code"),
        "signal_struct": ("live = live.counter", "group_exit_code"),
    },
    prove=_prove,
)
