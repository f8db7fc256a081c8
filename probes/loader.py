"""Brings the kernel side up: renders, compiles in the child, fills the maps, then attaches the cheapest hooks."""

import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from modelwarden.probes import btf, registry
from modelwarden.probes.build import CompileError, Compiler, Source
from modelwarden.probes.candidate import STRONG_SUFFIXES, WEAK_SUFFIXES
from modelwarden.probes.kernel import common
from modelwarden.probes.libbpf import attach_raw_tracepoint
from modelwarden.probes.maps import BpfMap, PerCpuCounters
from modelwarden.probes.probe import Hook, HookKind, Probe
from modelwarden.probes.ring import Ring
from modelwarden.probes.sampled.procfs import start_of
from modelwarden.probes.tracepoint import attach_tracepoint, tracepoint_id

RING_PAGES = 1024
"""4 MiB: two seconds of 10,000 records of 200 bytes a second."""
PROVISIONAL_NS = 10 * 1_000_000_000
"""An inspection answers within two seconds; a mark that nobody confirmed by then was for nothing."""

_FOLDER = Path(__file__).parent / "kernel"
_SYSCALLS = {
    "x86_64": {"OPEN": 2, "CREAT": 85, "OPENAT": 257, "OPENAT2": 437},
    "aarch64": {"OPEN": -1, "CREAT": -1, "OPENAT": 56, "OPENAT2": 437},
}
_STRONG, _WEAK = 2, 1
_MARK = struct.Struct("<QQQ")
_SETTINGS = struct.Struct("<QQQ")
_PROVISIONAL, _CONFIRMED, _OURS = 1, 2, 3
_NO_MODEL, _MODEL = 1, 2
_KEY = struct.Struct("<QQQQ")
# Bytes of key and value, as the C files declare the maps.
_MAPS = {
    "marks": (4, _MARK.size),
    "settings": (4, _SETTINGS.size),
    "suffixes": (16, 4),
    "known": (_KEY.size, 4),
    "seen_even": (48, 8),
    "seen_odd": (48, 8),
}
_COUNTERS = {"lost": 0, "seen_counters": 2}


class ProbesUnavailableError(Exception):
    """No probe can run at all; the message says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class ProbeState:
    """What became of one probe."""

    name: str
    hook: HookKind | None
    reason: str | None = None
    """Why a cheaper hook, or every hook, was refused."""
    next_step: str | None = None


@dataclass(slots=True)
class Kernel:
    """The kernel side while it runs. Closing it detaches everything."""

    ring: Ring
    maps: dict[str, BpfMap]
    counters: dict[str, PerCpuCounters]
    states: tuple[ProbeState, ...]
    descriptors: list[int]
    """Of the maps."""
    attachments: list[int] = field(default_factory=list)
    """Programs and what holds them to their hooks."""
    generation: int = 0
    large_bytes: int = 0

    def watch(self, pid: int, start_ns: int, *, watched: bool) -> None:
        """Confirms or clears the mark of a process; `OSError` when the table is full."""
        key = pid.to_bytes(4, "little")
        if watched:
            self.maps["marks"].update(key, _MARK.pack(start_ns, 0, _CONFIRMED))
        else:
            self.maps["marks"].delete(key)

    def ignore(self, pid: int, start_ns: int) -> None:
        """Makes a process of ours, and every child of it, invisible to all probes."""
        self.maps["marks"].update(pid.to_bytes(4, "little"), _MARK.pack(start_ns, 0, _OURS))

    def remember(self, device: int, inode: int, size: int, ctime_ns: int, *, is_model: bool) -> None:
        """What the inspector found in a file: a model marks who opens it, all others fall silent."""
        verdict = _MODEL if is_model else _NO_MODEL
        self.maps["known"].update(_KEY.pack(device, inode, size, ctime_ns), verdict.to_bytes(4, "little"))

    def set_generation(self, generation: int) -> None:
        """Which of the two tables of seen opens the programs use."""
        self.generation = generation
        self.maps["settings"].update(bytes(4), _SETTINGS.pack(self.large_bytes, PROVISIONAL_NS, generation))

    def detach(self) -> None:
        """Ends all programs; what the ring and the maps hold can still be read."""
        while self.attachments:
            os.close(self.attachments.pop())

    def close(self) -> None:
        """Detaches, then frees."""
        self.detach()
        self.ring.close()
        while self.descriptors:
            os.close(self.descriptors.pop())


def load(large_bytes: int, without: Mapping[str, str] = MappingProxyType({})) -> Kernel:
    """Everything attached and filled, each probe by its cheapest hook that the kernel takes; silent about ourselves.

    Only the chosen hooks are compiled, for compiling is most of the start. When the kernel refuses one, all is
    begun again without it. `without` names programs that are not even tried, with the reason. Raises
    `ProbesUnavailableError` with the next step.
    """
    require_root()
    refused = dict(without)
    while True:
        chosen = {probe.name: _choose(probe, refused) for probe in registry.PROBES}
        kernel = _load(large_bytes, [hook for hook in chosen.values() if hook is not None], refused)
        if kernel is not None:
            kernel.states = tuple(_state(probe, chosen[probe.name], refused) for probe in registry.PROBES)
            return kernel


def _choose(probe: Probe, refused: dict[str, str]) -> Hook | None:
    """The first hook that was not refused and for which the system has what it needs."""
    for hook in probe.hooks:
        if hook.program not in refused:
            try:
                _check(hook)
            except OSError as error:
                refused[hook.program] = str(error)
            else:
                return hook
    return None


def _check(hook: Hook) -> None:
    """Raises `OSError` when there is no point in trying."""
    if hook.kind is HookKind.TRACEPOINT and not any(tracepoint_id(target) for target in hook.targets):
        raise OSError(f"the kernel has none of {', '.join(hook.targets)}")


def _load(large_bytes: int, hooks: list[Hook], refused: dict[str, str]) -> Kernel | None:
    """One attempt; `None`, and one more in `refused`, when the kernel did not take a hook."""
    with _start_compiler() as compiler:
        source = Source(text=_source(hooks), release=platform.release(), maps=("ring", *_MAPS, *_COUNTERS))
        try:
            found = compiler.compile(source)
        except CompileError as error:
            raise ProbesUnavailableError(f"{error}; `modelwarden doctor` says what is missing") from error
        kernel = _fill(found, large_bytes)
        kernel.ignore(os.getpid(), start_of(os.getpid()))
        try:
            for hook in hooks:
                kernel.attachments.append(compiler.load(hook.program, hook.kind.value))
                kernel.attachments += _attach(hook, kernel.attachments[-1])
        except OSError as error:
            refused[hook.program] = str(error)
            kernel.close()
            return None
    return kernel


def require_root() -> None:
    """Raises `ProbesUnavailableError` when there is no point in trying."""
    if os.geteuid() != 0:
        raise ProbesUnavailableError("not root: kernel probes need root; run it with sudo")


def _start_compiler() -> Compiler:
    try:
        return Compiler()
    except OSError as error:
        raise ProbesUnavailableError(f"the compiler cannot be started: {error}") from error


def _source(hooks: list[Hook]) -> str:
    """One translation unit: several would take seconds to start."""
    try:
        types = btf.Btf()
        structs = btf.render_structs(types, [common.READS, *(probe.reads for probe in registry.PROBES)])
        types.close()
    except (OSError, btf.MissingFieldError) as error:
        raise ProbesUnavailableError(
            f"{error}; modelwarden needs a kernel with BTF that has it (5.10 or later)"
        ) from error
    numbers = _SYSCALLS.get(platform.machine())
    if numbers is None:
        raise ProbesUnavailableError(f"{platform.machine()} is not supported, only {' and '.join(_SYSCALLS)} are")
    defines = [f"#define RING_PAGES {RING_PAGES}", *(f"#define SYSCALL_{k} {v}" for k, v in numbers.items())]
    defines += [f"#define HOOK_{hook.program} 1" for hook in hooks]
    files = ["events.h", "common.h", *(f"{probe.name}.bpf.c" for probe in registry.PROBES)]
    bodies = [_without_includes((_FOLDER / file).read_text()) for file in files]
    return "\n".join(["#include <linux/types.h>", *defines, structs, *bodies])


def _without_includes(text: str) -> str:
    """The includes are for readers and editors; bcc wants one file."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(('#include "', "#pragma once")))


def _fill(found: dict[str, int], large_bytes: int) -> Kernel:
    entries = {**_COUNTERS, "lost": max(registry.PROBE_OF_KIND) + 1}
    kernel = Kernel(
        ring=Ring(found["ring"]),
        maps={name: BpfMap(name, found[name], *sizes) for name, sizes in _MAPS.items()},
        counters={name: PerCpuCounters(name, found[name], count) for name, count in entries.items()},
        states=(),
        descriptors=list(found.values()),
        large_bytes=large_bytes,
    )
    kernel.set_generation(0)
    for suffixes, strength in ((STRONG_SUFFIXES, _STRONG), (WEAK_SUFFIXES, _WEAK)):
        for suffix in suffixes:
            kernel.maps["suffixes"].update(suffix.encode().ljust(16, b"\0"), strength.to_bytes(4, "little"))
    return kernel


def _attach(hook: Hook, program: int) -> list[int]:
    if hook.kind is HookKind.RAW_TRACEPOINT:
        return [attach_raw_tracepoint(target, program) for target in hook.targets]
    made: list[int] = []
    try:
        for target in hook.targets:
            number = tracepoint_id(target)
            if number is not None:
                made.append(attach_tracepoint(target, number, program))
    except OSError:
        for descriptor in made:
            os.close(descriptor)
        raise
    return made


def _state(probe: Probe, chosen: Hook | None, refused: dict[str, str]) -> ProbeState:
    cheaper = probe.hooks[: probe.hooks.index(chosen)] if chosen else probe.hooks
    reasons = [f"{hook.kind.value}: {refused[hook.program]}" for hook in cheaper if hook.program in refused]
    return ProbeState(probe.name, chosen.kind if chosen else None, "; ".join(reasons) or None, _next_step(reasons))


def _next_step(refused: list[str]) -> str | None:
    if not refused:
        return None
    if any("tracefs" in reason for reason in refused):
        return "mount it: mount -t tracefs tracefs /sys/kernel/tracing"
    if any("perf event" in reason for reason in refused):
        return "allow perf events: sysctl kernel.perf_event_paranoid=2, or give the service CAP_SYS_ADMIN"
    return "see the kernel log (dmesg) for what the verifier or a security module refused"
