"""The only file that imports bcc: a program that compiles and loads, hands its descriptors over and is gone.

LLVM never leaves a process that imported bcc (128 MB), so it lives in this child for a second. Protocol, over a socket
pair of packets of JSON: the parent (build.py) sends the source, gets the descriptors of the maps, then asks for
programs by name, several at a time, and gets the descriptors of those that the kernel took, or an error when it took
none; it closes the socket when it has what it needs. Little is imported here: the daemon is not ready before this
program has started.
"""

import ctypes
import json
import os
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, cast

PACKET_BYTES = 1 << 20
_NOBODY = 65534
_CAPABILITY_VERSION_3 = 0x20080522
_TRACING = 26
"""BPF_PROG_TYPE_TRACING, which not every bcc names in Python."""
_PREFIXES = {"fentry": ("kfunc__vmlinux__", "kfunc__"), "iterator": ("bpf_iter__",)}
"""What bcc's macros put before the names of functions: newer versions first."""

_HEADERS = {
    "linux/kconfig.h": "#define CONFIG_BPF_SYSCALL 1\n",
    "linux/types.h": (
        "#pragma once\n"
        + "".join(
            f"typedef {kind} __{name}; typedef {kind} {name};\n"
            for name, kind in {
                "u8": "unsigned char",
                "s8": "signed char",
                "u16": "unsigned short",
                "s16": "short",
                "u32": "unsigned int",
                "s32": "int",
                "u64": "unsigned long long",
                "s64": "long long",
            }.items()
        )
        + "typedef __u16 __be16; typedef __u32 __be32; typedef __u64 __be64; typedef __u16 __le16;\n"
        "typedef __u32 __le32; typedef __u64 __le64; typedef __u32 __wsum; typedef __u16 __sum16;\n"
        "typedef _Bool bool; typedef unsigned long size_t; typedef unsigned long uintptr_t; typedef int pid_t;\n"
        "typedef __u64 __attribute__((aligned(8))) __aligned_u64;\n"
        "#define offsetof(type, member) __builtin_offsetof(type, member)\n"
        "#define __always_inline inline __attribute__((always_inline))\n"
    ),
    "asm/page.h": "#define PAGE_SIZE 4096\n",
    "linux/bpf_common.h": "",
    "uapi/linux/bpf.h": "",
    "uapi/linux/if_packet.h": "",
    "linux/log2.h": "",
    "linux/bpf.h": "",
}
"""All that bcc and its own headers ask of a kernel source tree."""


class _Bcc(Protocol):
    module: Any

    def load_func(self, func_name: bytes, prog_type: int) -> Any: ...


def _version_header(release: str) -> str:
    # Releases vary, such as 7.2.13+deb14-amd64: only the leading numbers count.
    numbers = [int(found) for found in re.findall(r"\d+", release)[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    code = (major << 16) + (minor << 8) + min(patch, 255)
    macro = "#define KERNEL_VERSION(a,b,c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))"
    return f"{macro}\n#define LINUX_VERSION_CODE {code}\n"


def _import_bcc() -> str | None:
    """Loads LLVM, in this child only; why not, when it cannot be had."""
    try:
        import bcc  # noqa: F401, PLC0415
    except (ImportError, OSError) as error:
        return str(error)
    return None


def _compile(text: str, release: str, folder: Path) -> tuple[_Bcc, dict[str, int]]:
    """(compiled unit, program types); bcc finds its headers in a folder that is gone when the parent is done."""
    for name, header in {**_HEADERS, "linux/version.h": _version_header(release)}.items():
        file = folder / "include" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(header)
    os.environ["BCC_KERNEL_SOURCE"] = str(folder)
    import bcc  # noqa: PLC0415 - loaded before, by `_import_bcc`

    # bcc attaches functions by their prefix in its constructor, and fails as a whole when one is refused.
    bcc.BPF._trace_autoload = lambda _self: None  # noqa: SLF001
    _become_nobody()
    unit = cast("_Bcc", bcc.BPF(text=text, cflags=["-Wno-macro-redefined", "-Wno-pragma-once-outside-header"]))
    os.seteuid(0)
    kinds = {"raw_tracepoint": bcc.BPF.RAW_TRACEPOINT, "tracepoint": bcc.BPF.TRACEPOINT}
    kinds |= dict.fromkeys(("fentry", "iterator"), _TRACING)
    return unit, kinds


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def _become_nobody() -> None:
    """Gives up the effective user, keeps the capabilities.

    For root, bcc reads all of /proc/kallsyms, 0.2 s, in case of kprobes by address, which we have none of; for other
    users it does not try (bcc_procutils_each_ksym). The compiler also has no business being root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _CapabilityHeader(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(ctypes.byref(header), sets) != 0:
        return
    os.seteuid(_NOBODY)  # which empties the effective set, and leaves the permitted one
    sets[0], sets[3] = sets[1], sets[4]
    if libc.capset(ctypes.byref(header), sets) != 0:
        os.seteuid(0)


def _map_descriptor(unit: _Bcc, name: str) -> int:
    import bcc  # noqa: PLC0415 - loaded before, by `_import_bcc`

    return int(bcc.lib.bpf_table_fd(unit.module, name.encode()))


def _function(unit: _Bcc, program: str, kind: str) -> bytes:
    """The name that the compiled unit has for a program."""
    import bcc  # noqa: PLC0415 - loaded before, by `_import_bcc`

    names = [f"{prefix}{program}".encode() for prefix in _PREFIXES.get(kind, ("",))]
    return next((name for name in names if bcc.lib.bpf_function_start(unit.module, name)), names[0])


def _serve(connection: socket.socket) -> None:
    # Before the source is there: the parent renders it meanwhile.
    failed = _import_bcc()
    source = json.loads(connection.recv(PACKET_BYTES))
    if failed is not None:
        _refuse(connection, f"bcc cannot be imported ({failed}): apt install python3-bpfcc")
        return
    try:
        unit, kinds = _compile(source["text"], source["release"], Path(source["folder"]))
    except Exception as error:  # noqa: BLE001 - bcc raises bare Exception; the parent gets its words
        _refuse(connection, f"the probes do not compile ({error})")
        return
    maps = {name: _map_descriptor(unit, name) for name in source["maps"]}
    _send(connection, maps)
    while request := connection.recv(PACKET_BYTES):
        wanted = [(program, _function(unit, program, kind), kinds[kind]) for program, kind in json.loads(request)]
        # At once, for verifying takes long and a processor each.
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda one: _load(unit, *one[1:]), wanted))
        loaded = {one[0]: result for one, result in zip(wanted, results, strict=True) if isinstance(result, int)}
        if loaded or not results:
            _send(connection, loaded)
        else:
            _refuse(connection, str(results[0]))


def _load(unit: _Bcc, function: bytes, kind: int) -> int | str:
    """Its descriptor, or why the kernel refused it."""
    try:
        return int(unit.load_func(function, kind).fd)
    except Exception as error:  # noqa: BLE001 - bcc raises bare Exception
        # bcc calls every EPERM a lack of root: say what was refused instead.
        return "the kernel refused the program" if "super-user" in str(error) else str(error)


def _send(connection: socket.socket, descriptors: dict[str, int]) -> None:
    socket.send_fds(connection, [json.dumps({"names": list(descriptors)}).encode()], list(descriptors.values()))


def _refuse(connection: socket.socket, error: str) -> None:
    connection.send(json.dumps({"error": error}).encode()[:PACKET_BYTES])


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        _serve(parent)
    sys.stdout.flush()
    # Leave at once: bcc's clean-up would detach and free what the parent now holds.
    os._exit(0)
