"""The only file that imports bcc: a child process that compiles and loads, hands its descriptors over and is gone.

LLVM never leaves a process that imported bcc (128 MB), so it lives in this child for some 0.4 s. Protocol, over a
socket pair of packets: the parent sends one `Source`, gets the descriptors of the maps, then asks for programs by
name, one at a time, and gets a descriptor or an error for each; it closes the socket when it has what it needs.
"""

import importlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import msgspec

PACKET_BYTES = 1 << 20
START_DEADLINE_S = 20.0
"""A slow machine under emulation takes several seconds; a hung compiler must not hang the daemon."""


class Source(msgspec.Struct, frozen=True):
    """One translation unit."""

    text: str
    release: str
    """Of the running kernel, as uname gives it."""
    maps: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True):
    """What the child says; descriptors travel beside it."""

    names: tuple[str, ...] = ()
    error: str | None = None


class CompileError(Exception):
    """The child could not compile, or died; the message says what it printed."""


class Compiler:
    """The parent's end. Use as a context manager: the child is gone when the block is left."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PACKET_BYTES)
        ours.settimeout(START_DEADLINE_S)
        self._socket = ours
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-m", "modelwarden.probes.compiler", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """The child's process number."""
        return self._child.pid

    def compile(self, source: Source) -> dict[str, int]:
        """Compiles; the descriptors of its maps by name. Raises `CompileError`."""
        self._socket.send(msgspec.json.encode(source))
        return self._receive()

    def load(self, program: str, kind: str) -> int:
        """Loads one program; its descriptor. Raises `OSError` when the kernel refuses it."""
        self._socket.send(msgspec.json.encode((program, kind)))
        try:
            return self._receive()[program]
        except CompileError as error:
            raise OSError(f"{program}: {error}") from None

    def __enter__(self) -> "Compiler":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        try:
            self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()

    def _receive(self) -> dict[str, int]:
        try:
            raw, descriptors, _, _ = socket.recv_fds(self._socket, PACKET_BYTES, 64)
        except TimeoutError:
            raise CompileError(f"no answer from the compiler in {START_DEADLINE_S:.0f} s") from None
        if not raw:
            raise CompileError(f"the compiler died: {self._output() or 'it printed nothing'}")
        answer = msgspec.json.decode(raw, type=Answer)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's own signature
        if answer.error is not None:
            raise CompileError(f"{answer.error}: {self._output()}".rstrip(": "))
        return dict(zip(answer.names, descriptors, strict=True))

    def _output(self) -> str:
        self._log.seek(0)
        return self._log.read(4096).decode(errors="replace").strip()


# ---- the child ----------------------------------------------------------------------------------------

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
        importlib.import_module("bcc")
    except (ImportError, OSError) as error:
        return str(error)
    return None


def _compile(source: Source, folder: Path) -> tuple[_Bcc, dict[str, int], dict[str, int]]:
    """(compiled unit, map descriptors, program types)."""
    for name, text in {**_HEADERS, "linux/version.h": _version_header(source.release)}.items():
        file = folder / "include" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    os.environ["BCC_KERNEL_SOURCE"] = str(folder)
    bcc = importlib.import_module("bcc")
    # bcc attaches functions by their prefix in its constructor, and fails as a whole when one is refused.
    bcc.BPF._trace_autoload = lambda _self: None  # noqa: SLF001
    unit = cast("_Bcc", bcc.BPF(text=source.text, cflags=["-Wno-macro-redefined", "-Wno-pragma-once-outside-header"]))
    found = {name: int(bcc.lib.bpf_table_fd(unit.module, name.encode())) for name in source.maps}
    kinds = {"raw_tracepoint": bcc.BPF.RAW_TRACEPOINT, "tracepoint": bcc.BPF.TRACEPOINT}
    return unit, found, kinds


def _serve(connection: socket.socket) -> None:
    # Before the source is there: the parent renders it meanwhile.
    failed = _import_bcc()
    source = msgspec.json.decode(connection.recv(PACKET_BYTES), type=Source)
    if failed is not None:
        _send(connection, Answer(error=f"bcc cannot be imported ({failed}): apt install python3-bpfcc"))
        return
    with tempfile.TemporaryDirectory(prefix="modelwarden-") as folder:
        try:
            unit, maps, kinds = _compile(source, Path(folder))
        except Exception as error:  # noqa: BLE001 - bcc raises bare Exception; the parent gets its words
            _send(connection, Answer(error=f"the probes do not compile ({error})"))
            return
    _send(connection, Answer(names=tuple(maps)), *maps.values())
    while request := connection.recv(PACKET_BYTES):
        program, kind = msgspec.json.decode(request, type=tuple[str, str])
        try:
            loaded = int(unit.load_func(program.encode(), kinds[kind]).fd)
        except Exception as error:  # noqa: BLE001 - see above
            # bcc calls every EPERM a lack of root: say what was refused instead.
            reason = "the kernel refused the program" if "super-user" in str(error) else str(error)
            _send(connection, Answer(error=reason))
        else:
            _send(connection, Answer(names=(program,)), loaded)


def _send(connection: socket.socket, answer: Answer, *descriptors: int) -> None:
    socket.send_fds(connection, [msgspec.json.encode(answer)], descriptors)


if __name__ == "__main__" and not TYPE_CHECKING:
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        _serve(parent)
    sys.stdout.flush()
    # Leave at once: bcc's clean-up would detach and free what the parent now holds.
    os._exit(0)
