"""Brings the kernel side up: chooses the hooks, compiles in the child, fills the tables, then attaches."""

import os
import platform
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from modelwarden.probes import hooks, registry
from modelwarden.probes.btf import Btf, MissingFieldError
from modelwarden.probes.build import CompileError, Compiler, Source
from modelwarden.probes.candidate import STRONG_SUFFIXES, TAMPER_TARGETS, WEAK_SUFFIXES
from modelwarden.probes.kernel_side import Kernel, ProbeState
from modelwarden.probes.probe import Hook, Probe
from modelwarden.probes.sampled.procfs import start_of
from modelwarden.probes.tables import Suffix, Table
from modelwarden.probes.unit import UnsupportedError, render_unit

_MAPS = ("ring", "lost", "refusals", "seen_counters", *(table.value for table in Table))


class ProbesUnavailableError(Exception):
    """No probe can run at all; the message says what is missing and what to do."""


def load(large_bytes: int, without: Mapping[str, str] = MappingProxyType({})) -> Kernel:
    """Everything attached and filled, each probe by its best hook that the kernel takes; silent about ourselves.

    Only the chosen hooks are compiled, for compiling is most of the start. When the kernel refuses one, all is
    begun again without it. `without` names hooks (`Probe.key`) that are not even tried, with the reason. Raises
    `ProbesUnavailableError` with the next step.
    """
    require_root()
    refused = dict(without)
    types = _types()
    try:
        while True:
            chosen = [(probe, _choose(probe, refused, types)) for probe in registry.PROBES]
            kernel = _load(large_bytes, chosen, refused, types)
            if kernel is not None:
                return kernel
    finally:
        types.close()


def require_root() -> None:
    """Raises `ProbesUnavailableError` when there is no point in trying."""
    if os.geteuid() != 0:
        raise ProbesUnavailableError("not root: kernel probes need root; run it with sudo")


def _types() -> Btf:
    try:
        return Btf()
    except OSError as error:
        raise ProbesUnavailableError(f"{error}; modelwarden needs a kernel with BTF (5.10 or later)") from error


def _choose(probe: Probe, refused: dict[str, str], types: Btf) -> Hook | None:
    """The cheapest hook that sees everything and that the system can have; else one that sees a part."""
    for has_to_see_all in (True, False):
        for hook in probe.hooks:
            key = probe.key(hook)
            if key in refused or (has_to_see_all and hooks.blindness(hook, types)):
                continue
            try:
                hooks.check(hook, types)
            except OSError as error:
                refused[key] = error.strerror or str(error)
            else:
                return hook
    return None


def _load(
    large_bytes: int, chosen: Sequence[tuple[Probe, Hook | None]], refused: dict[str, str], types: Btf
) -> Kernel | None:
    """One attempt; `None`, and one more in `refused`, when the kernel did not take a hook."""
    keys = [probe.key(hook) for probe, hook in chosen if hook is not None]
    with _start_compiler() as compiler:
        try:
            source = Source(text=render_unit(types, keys), release=platform.release(), maps=_MAPS)
            found = compiler.compile(source)
        except MissingFieldError as error:
            raise ProbesUnavailableError(f"{error}; modelwarden needs a kernel that has it (5.10 or later)") from error
        except (CompileError, UnsupportedError) as error:
            raise ProbesUnavailableError(f"{error}; `modelwarden doctor` says what is missing") from error
        kernel = Kernel.over(found, max(registry.PROBE_OF_KIND) + 1, large_bytes)
        kernel.name_suffixes(STRONG_SUFFIXES, Suffix.STRONG)
        kernel.name_suffixes(WEAK_SUFFIXES, Suffix.WEAK)
        kernel.name_suffixes(("so",), Suffix.LIBRARY)
        kernel.name_files(TAMPER_TARGETS)
        kernel.ignore(os.getpid(), start_of(os.getpid()))
        gaps: dict[str, str] = {}
        loaded = _load_programs(compiler, chosen, types)
        hooked = [(probe, hook) for probe, hook in chosen if hook is not None]
        try:
            for probe, hook in hooked:
                gaps |= _hook_up(kernel, compiler, loaded, probe, hook, types)
        except OSError as error:
            refused[probe.key(hook)] = error.strerror or str(error)
            kernel.close()
            return None
        finally:
            for descriptor in loaded.values():
                os.close(descriptor)
        for probe, _ in chosen:
            for other in probe.hooks:
                if missed := hooks.blindness(other, types):
                    refused.setdefault(probe.key(other), missed)
    kernel.states = tuple(_state(probe, hook, refused, gaps) for probe, hook in chosen)
    return kernel


def _start_compiler() -> Compiler:
    try:
        return Compiler()
    except OSError as error:
        raise ProbesUnavailableError(f"the compiler cannot be started: {error}") from error


def _load_programs(compiler: Compiler, chosen: Sequence[tuple[Probe, Hook | None]], types: Btf) -> dict[str, int]:
    """All programs that the kernel takes, by function: most of them at once, for verifying takes a processor each."""
    programs = [program for _, hook in chosen if hook is not None for program in hook.programs]
    wanted = {one.function: one.kind.value for one in programs if hooks.is_needed(one, types)}
    return compiler.load_all(list(wanted.items()))


def _hook_up(
    kernel: Kernel, compiler: Compiler, loaded: dict[str, int], probe: Probe, hook: Hook, types: Btf
) -> dict[str, str]:
    """Attaches all programs of a hook, out of `loaded`; what is not seen because an optional one was refused."""
    gaps = []
    loaded_before = {function for _, function, _ in kernel.programs}
    for program in hook.programs:
        if program.function in loaded_before or not hooks.is_needed(program, types):
            continue  # it serves two probes, or nobody here
        try:
            hooks.check_program(program, types)
            descriptor = loaded.pop(program.function, None)
            if descriptor is None:  # it was refused: now alone, for a reason of its own
                descriptor = compiler.load(program.function, program.kind.value)
            kernel.programs.append((probe.name, program.function, descriptor))
            kernel.attachments += hooks.attach(program, descriptor)
        except OSError as error:
            if program.lacking is None:
                raise
            gaps.append(f"{program.lacking} is not seen: {error.strerror or error}")
    return {probe.name: "; ".join(gaps)} if gaps else {}


def _state(probe: Probe, chosen: Hook | None, refused: dict[str, str], gaps: dict[str, str]) -> ProbeState:
    better = probe.hooks[: probe.hooks.index(chosen) + 1] if chosen else probe.hooks
    reasons = [f"{hook.kind.value}: {refused[probe.key(hook)]}" for hook in better if probe.key(hook) in refused]
    reasons += [gaps[probe.name]] if probe.name in gaps else []
    return ProbeState(probe.name, chosen.kind if chosen else None, "; ".join(reasons) or None, _next_step(reasons))


def _next_step(refused: list[str]) -> str | None:
    if not refused:
        return None
    if any("tracefs" in reason for reason in refused):
        return "mount it: mount -t tracefs tracefs /sys/kernel/tracing"
    if any("perf event" in reason for reason in refused):
        return "allow perf events: sysctl kernel.perf_event_paranoid=2, or give the service CAP_SYS_ADMIN"
    return "see the kernel log (dmesg) for what the verifier or a security module refused"
