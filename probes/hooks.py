"""Hooks programs of each kind to the kernel: whether there is a point in trying, and the attachment itself."""

import os

from modelwarden.probes.btf import Btf
from modelwarden.probes.libbpf import attach_fentry, attach_raw_tracepoint, try_fentry
from modelwarden.probes.probe import Hook, HookKind, Program
from modelwarden.probes.tracepoint import attach_tracepoint, tracepoint_id


def blindness(hook: Hook, types: Btf) -> str | None:
    """What passes the hook unseen on this kernel, `None` when it sees everything."""
    if hook.blind is None or types.function(hook.blind[0]) is None:
        return None
    return f"it does not see {hook.blind[1]}"


def check(hook: Hook, types: Btf) -> None:
    """Raises `OSError` when this system cannot have the hook."""
    for program in hook.programs:
        if program.lacking is None:
            check_program(program, types)


def is_needed(program: Program, types: Btf) -> bool:
    """Whether a part of a hook has anything to see: what this kernel does not have happens elsewhere or not at all."""
    match program.kind:
        case HookKind.FENTRY:
            return program.lacking is None or types.function(program.function) is not None
        case HookKind.RAW_TRACEPOINT:
            return program.lacking is None or any(types.has_raw_tracepoint(target) for target in program.targets)
    return True


def check_program(program: Program, types: Btf) -> None:
    """Raises `OSError` when this kernel has no place for the program."""
    if program.needs is not None and not types.has_field(*program.needs):
        raise OSError(f"the kernel's {program.needs[0]} has no {program.needs[1]}")
    match program.kind:
        case HookKind.FENTRY:
            _check_fentry(program.function, types)
        case HookKind.TRACEPOINT:
            if not any(tracepoint_id(target) for target in program.targets):
                raise OSError(f"the kernel has none of {', '.join(program.targets)}")
        case HookKind.RAW_TRACEPOINT:
            missing = [target for target in program.targets if not types.has_raw_tracepoint(target)]
            if missing:
                raise OSError(f"the kernel has no tracepoint {', '.join(missing)}")
        case HookKind.ITERATOR:
            if not types.has_struct(f"bpf_iter__{program.function}"):
                raise OSError(f"the kernel has no iterator {program.function}")
        case HookKind.PROCFS:
            raise OSError("procfs takes no programs")


def _check_fentry(name: str, types: Btf) -> None:
    function = types.function(name)
    if function is None:
        raise OSError(f"the kernel has no function {name}")
    try_fentry(function, name)


def attach(program: Program, descriptor: int) -> list[int]:
    """Attaches a loaded program; the descriptors whose end is the attachment's end. `OSError` when refused.

    An iterator runs when it is read (iterator.py) and is attached to nothing.
    """
    if program.kind is HookKind.FENTRY:
        return [attach_fentry(program.function, descriptor)]
    made: list[int] = []
    if program.kind is HookKind.ITERATOR:
        return made
    try:
        for target in program.targets:
            if program.kind is HookKind.RAW_TRACEPOINT:
                made.append(attach_raw_tracepoint(target, descriptor))
            elif (number := tracepoint_id(target)) is not None:
                made.append(attach_tracepoint(target, number, descriptor))
    except OSError:
        for one in made:
            os.close(one)
        raise
    return made
