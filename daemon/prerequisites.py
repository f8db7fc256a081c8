"""Checks what the daemon needs of this machine, one by one, each with what to do when it is not there."""

import asyncio
import ctypes
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from modelwarden.daemon.event import ProbesProven
from modelwarden.daemon.selftest import SelfTest
from modelwarden.probes.btf import KERNEL_BTF
from modelwarden.probes.kernel_side import Kernel, ProbeState
from modelwarden.probes.libbpf import LIBRARY
from modelwarden.probes.loader import ProbesUnavailableError, load
from modelwarden.probes.reader import Reader
from modelwarden.probes.tracepoint import events_folder

KERNEL_MIN = (5, 10)
RECORDS_A_TURN = 512
BLIND_NEXT_STEP = "something keeps it from running: see the kernel log (dmesg), and with bpftool prog who else is there"
_IMPORT_BCC = "import bcc; print(bcc.__version__ if hasattr(bcc, 'BPF') else 'another library called bcc')"


class Health(StrEnum):
    """How a row stands."""

    OK = "ok"
    DEGRADED = "degraded"
    """The daemon runs and sees what it must, at a higher price or with a gap that the row names."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Row:
    """One prerequisite or one probe."""

    name: str
    kind: str
    """`prerequisite` or `probe`."""
    status: Health
    detail: str
    hook: str | None = None
    next_step: str | None = None


def examine() -> list[Row]:
    """All prerequisites, then, when none is missing, each probe as it attaches and proves itself right now."""
    rows = [check() for check in _CHECKS]
    missing = [row.name for row in rows if row.status is Health.MISSING]
    return [*rows, *_probes(missing)]


def _needed(name: str, found: str | None, trouble: str, next_step: str) -> Row:
    if found is not None:
        return Row(name, "prerequisite", Health.OK, found)
    return Row(name, "prerequisite", Health.MISSING, trouble, next_step=next_step)


def _root() -> Row:
    found = "effective user 0" if os.geteuid() == 0 else None
    return _needed("root", found, f"effective user {os.geteuid()}", "run it with sudo")


def _kernel() -> Row:
    release = platform.release()
    numbers = tuple(int(number) for number in re.findall(r"\d+", release)[:2])
    oldest = ".".join(map(str, KERNEL_MIN))
    return _needed("kernel", release if numbers >= KERNEL_MIN else None, release, f"boot a kernel from {oldest} on")


def _btf() -> Row:
    found = str(KERNEL_BTF) if KERNEL_BTF.exists() else None
    return _needed("btf", found, f"no {KERNEL_BTF}", "boot a kernel built with CONFIG_DEBUG_INFO_BTF")


def _libbpf() -> Row:
    return _needed("libbpf", LIBRARY if _loads(LIBRARY) else None, f"{LIBRARY} cannot be loaded", "apt install libbpf1")


def _seccomp() -> Row:
    name = "libseccomp.so.2"
    trouble = f"{name} cannot be loaded, so no model file would be looked into"
    return _needed("libseccomp", name if _loads(name) else None, trouble, "apt install libseccomp2")


def _bcc() -> Row:
    """Asked of a child: what imports bcc keeps LLVM."""
    asked = subprocess.run(
        [sys.executable, "-I", "-c", _IMPORT_BCC], capture_output=True, text=True, timeout=30, check=False
    )
    version = asked.stdout.strip()
    if asked.returncode == 0 and version[:1].isdigit():
        return _needed("bcc", version, "", "")
    last_words = asked.stderr.strip().rpartition("\n")[2]
    trouble = version or last_words or "cannot be imported"
    next_step = "apt install python3-bpfcc, in an environment with system site packages (make setup)"
    return _needed("bcc", None, trouble, next_step)


def _tracefs() -> Row:
    folder = events_folder()
    if folder is not None:
        return Row("tracefs", "prerequisite", Health.OK, str(folder.parent))
    if os.geteuid() != 0:
        return Row("tracefs", "prerequisite", Health.DEGRADED, "only root can look", next_step="run it with sudo")
    trouble = "not mounted: opens are then seen by a hook that costs every system call 0.1 µs"
    next_step = "mount -t tracefs tracefs /sys/kernel/tracing"
    return Row("tracefs", "prerequisite", Health.DEGRADED, trouble, next_step=next_step)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


_CHECKS: tuple[Callable[[], Row], ...] = (_root, _kernel, _btf, _libbpf, _bcc, _seccomp, _tracefs)


def _probes(missing: list[str]) -> list[Row]:
    if missing:
        trouble = f"not tried: {', '.join(missing)} missing"
        return [Row("probes", "probe", Health.MISSING, trouble, next_step="see the rows above")]
    try:
        kernel = load(large_bytes=1 << 62)
    except ProbesUnavailableError as error:
        return [Row("probes", "probe", Health.MISSING, str(error), next_step="see the kernel log (dmesg)")]
    try:
        found = _proven(kernel)
    finally:
        kernel.close()
    return [probe_row(state, found) for state in kernel.states]


def _proven(kernel: Kernel) -> ProbesProven:
    """One round of the self-test; what others do meanwhile is thrown away."""
    reader = Reader(kernel)

    def forget(batch: list[bytes]) -> None:
        reader.decode(batch)

    return asyncio.run(SelfTest(kernel, reader, lambda: kernel.drain(RECORDS_A_TURN, forget)).run())


def probe_row(state: ProbeState, found: ProbesProven) -> Row:
    """What became of a probe: attached, and seeing what the self-test made for it."""
    if state.hook is None:
        return Row(state.name, "probe", Health.MISSING, state.reason or "off", None, state.next_step)
    hook, untried = state.hook.value, dict(found.untried).get(state.name)
    if state.name in found.blind:
        detail = "; ".join(filter(None, ("blind: it is attached and did not see what was made for it", state.reason)))
        return Row(state.name, "probe", Health.MISSING, detail, hook, BLIND_NEXT_STEP)
    if untried is not None:
        detail = "; ".join(filter(None, (f"attached, not proven: {untried}", state.reason)))
        return Row(state.name, "probe", Health.DEGRADED, detail, hook, state.next_step)
    status = Health.DEGRADED if state.reason else Health.OK
    seen = "proven" if state.name in found.proven else "attached"
    return Row(state.name, "probe", status, state.reason or seen, hook, state.next_step)


def can_run(rows: list[Row]) -> bool:
    """Whether the daemon would start and see."""
    return all(row.status is not Health.MISSING for row in rows)


STATE_DIR_MIN_BYTES = 64 << 20


def state_directory(directory: Path) -> Row:
    """Whether there is room where the state is kept."""
    place = next(one for one in (directory, *directory.parents) if one.exists())
    facts = os.statvfs(place)
    free = facts.f_bavail * facts.f_frsize
    detail = f"{directory}, {free >> 20} MiB free"
    if free >= STATE_DIR_MIN_BYTES:
        return Row("state", "prerequisite", Health.OK, detail)
    next_step = "free space, or choose another place with --state-dir"
    return Row("state", "prerequisite", Health.DEGRADED, detail, next_step=next_step)
