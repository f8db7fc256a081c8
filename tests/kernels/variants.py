"""What a guest can be made to lack, and how the guest shows that it lacks just that."""

import ctypes
import os
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PLACES = {
    "tracefs": "/sys/kernel/tracing",
    "debugfs": "/sys/kernel/debug",
    "cgroup2": "/sys/fs/cgroup",
    "securityfs": "/sys/kernel/security",
}
"""File systems that a workstation has mounted beside the usual ones."""
_IO_URING_SETUP = 425
_IO_URING_PARAMETERS_BYTES = 120
_EXIT_32 = b"\x31\xdb\x31\xc0\x40\xcd\x80"
"""xor ebx, ebx; xor eax, eax; inc eax; int 0x80: exit(0) of a 32-bit program."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A system that lacks something."""

    since: tuple[int, int] = (0, 0)
    """The first kernel that can be made so."""
    append: str = ""
    """To the kernel's command line."""
    unmounted: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    """File below /proc/sys → value."""
    environment: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)
    """Where the guest differs from a plain one."""

    def fits(self, release: str) -> bool:
        """Whether a kernel of this release can be made so."""
        major, minor = release.split(".")[:2]
        return (int(major), int(minor)) >= self.since


PLAIN = {"cgroup2": "yes", "tracefs": "yes", "debugfs": "yes", "io_uring": "yes", "lockdown": "none", "ia32": "yes"}
VARIANTS = {
    "plain": Variant(),
    "no-cgroup2": Variant(unmounted=("cgroup2",), conditions={"cgroup2": "no"}),
    "no-tracefs": Variant(
        unmounted=("tracefs", "debugfs"),
        environment={"MODELWARDEN_NO_TRACEFS": "1"},
        conditions={"tracefs": "no", "debugfs": "no"},
    ),
    "no-io-uring": Variant(since=(6, 6), settings={"kernel/io_uring_disabled": "2"}, conditions={"io_uring": "no"}),
    "lockdown": Variant(append="lockdown=integrity", conditions={"lockdown": "integrity"}),
    "no-ia32": Variant(since=(6, 7), append="ia32_emulation=0", conditions={"ia32": "no"}),
}
"""By name; `plain` lacks nothing."""


def become(variant: Variant) -> None:
    """Makes the running guest so, as far as its command line has not."""
    for kind, place in PLACES.items():
        if kind not in variant.unmounted:
            subprocess.run(["/bin/mount", "-t", kind, kind, place], check=True)
    for name, value in variant.settings.items():
        (Path("/proc/sys") / name).write_text(value)
    os.environ.update(variant.environment)


def differences(variant: Variant) -> list[str]:
    """What is not as the variant says it is: each is tried, none is believed."""
    expected, found = PLAIN | variant.conditions, conditions()
    return [f"{name}: {found[name]}, not {wanted}" for name, wanted in expected.items() if found[name] != wanted]


def conditions() -> dict[str, str]:
    """What this system has, as in `PLAIN`."""
    mounted = {line.split()[2] for line in Path("/proc/mounts").read_text().splitlines()}
    found = {kind: _yes(kind in mounted) for kind in ("cgroup2", "tracefs", "debugfs")}
    return found | {"io_uring": _yes(_has_io_uring()), "lockdown": _lockdown(), "ia32": _yes(_runs_32_bit())}


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _has_io_uring() -> bool:
    parameters = ctypes.create_string_buffer(_IO_URING_PARAMETERS_BYTES)
    descriptor: int = ctypes.CDLL(None).syscall(_IO_URING_SETUP, 1, parameters)
    if descriptor < 0:
        return False
    os.close(descriptor)
    return True


def _lockdown() -> str:
    """Such as `integrity` of `none [integrity] confidentiality`."""
    text = Path("/sys/kernel/security/lockdown").read_text()
    return text.partition("[")[2].partition("]")[0]


def _runs_32_bit() -> bool:
    """Whether the kernel runs a program for i386; one of 91 bytes that only ends (elf(5))."""
    base, header_bytes = 0x08048000, 52 + 32
    size = header_bytes + len(_EXIT_32)
    header = struct.pack("<4s3B9xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 2, 3, 1, base + header_bytes, 52, 0, 0, 52, 32, 1,
                         0, 0, 0)  # fmt: skip
    segment = struct.pack("<8I", 1, 0, base, base, size, size, 5, 4096)
    program = Path("/tmp/ends")
    program.write_bytes(header + segment + _EXIT_32)
    program.chmod(0o755)
    try:
        return subprocess.run([program], check=False).returncode == 0
    except OSError:
        return False
