"""Puts the C files together to one translation unit: several would take seconds to start."""

import platform
import re
from collections.abc import Iterable
from pathlib import Path

from modelwarden.probes import btf, registry
from modelwarden.probes.kernel import common

RING_PAGES = 1024
"""4 MiB: two seconds of 10,000 records of 200 bytes a second."""

_FOLDER = Path(__file__).parent / "kernel"
_INCLUDE = re.compile(r'^#include "([a-z_]+\.h)"$', re.MULTILINE)
_CALLS = (
    *("OPEN", "CREAT", "OPENAT", "OPENAT2", "OPEN_BY_HANDLE_AT", "MMAP"),
    *("RENAME", "RENAMEAT", "RENAMEAT2", "LINK", "LINKAT", "SYMLINK", "SYMLINKAT"),
    *("UNLINK", "UNLINKAT", "TRUNCATE", "FTRUNCATE"),
)
"""Those whose ends are looked at where nothing better is to be had (kernel/calls.h)."""
_SYSCALLS = {
    "x86_64": dict(
        zip(_CALLS, (2, 85, 257, 437, 304, 9, 82, 264, 316, 86, 265, 88, 266, 87, 263, 76, 77), strict=True),
    ),
    "aarch64": {
        "OPENAT": 56,
        "OPENAT2": 437,
        "OPEN_BY_HANDLE_AT": 265,
        "MMAP": 222,
        "RENAMEAT": 38,
        "RENAMEAT2": 276,
        "LINKAT": 37,
        "SYMLINKAT": 36,
        "UNLINKAT": 35,
        "TRUNCATE": 45,
        "FTRUNCATE": 46,
    },
}
"""arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h, which has no others."""
_SYSCALLS_32 = dict(
    zip(_CALLS, (5, 8, 295, 437, 342, 192, 38, 302, 353, 9, 303, 83, 304, 10, 301, 92, 93), strict=True)
) | {"TRUNCATE64": 193, "FTRUNCATE64": 194}
"""Of programs for i386 on x86_64: arch/x86/entry/syscalls/syscall_32.tbl; its mmap is mmap2."""
_ABSENT = -1000
"""From here down: numbers that no call has, each another one, for a switch must not have two alike."""


class UnsupportedError(Exception):
    """No programs can be made for this machine; the message says why."""


def render_unit(types: btf.Btf, hooks: Iterable[str]) -> str:
    """The whole source for these hooks (`Probe.key`). Raises `MissingFieldError` or `UnsupportedError`."""
    numbers = _SYSCALLS.get(platform.machine())
    if numbers is None:
        raise UnsupportedError(f"{platform.machine()} is not supported, only {' and '.join(_SYSCALLS)} are")
    structs = btf.render_structs(types, [common.READS, *(probe.reads for probe in registry.PROBES)])
    defines = {"RING_PAGES": RING_PAGES}
    defines |= {f"SYSCALL_{name}": numbers.get(name, _ABSENT - index) for index, name in enumerate(_CALLS)}
    defines |= {f"SYSCALL_32_{name}": number for name, number in _SYSCALLS_32.items()}
    defines |= {f"HOOK_{hook}": 1 for hook in hooks}
    lines = [f"#define {name} {value}" for name, value in defines.items()]
    included: set[str] = set()
    bodies = [_inline(f"{probe.name}.bpf.c", included) for probe in registry.PROBES]
    return "\n".join(["#include <linux/types.h>", *lines, structs, *bodies])


def _inline(name: str, included: set[str]) -> str:
    """A file with its own includes in their place, each once: bcc wants one file."""
    if name in included:
        return ""
    included.add(name)
    text = (_FOLDER / name).read_text().replace("#pragma once\n", "")
    return _INCLUDE.sub(lambda found: _inline(found[1], included), text)
