"""The parent's end of the compiler: starts the child, asks for descriptors, sees that it is gone in the end."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from modelwarden.probes.compiler import PACKET_BYTES

START_DEADLINE_S = 60.0
"""A machine under emulation takes half a minute; a hung compiler must not hang the daemon."""
EXIT_DEADLINE_S = 2.0
TAIL_BYTES = 2000
"""Of what the child printed: why the verifier refused a program stands at the end of a log of thousands of lines."""
REASON_LINES = 5
"""The verifier's complaint, with the instruction and the line of C that it is about."""

_AFTER_THE_REASON = re.compile(r"^processed \d+ insns .*", re.MULTILINE | re.DOTALL)
"""How the verifier sums up; bcc adds hints of its own."""


class Source(msgspec.Struct, frozen=True):
    """One translation unit."""

    text: str
    release: str
    """Of the running kernel, as uname gives it."""
    maps: tuple[str, ...]
    folder: str = ""
    """Where the child may put the headers that bcc asks for."""


class Answer(msgspec.Struct, frozen=True):
    """What the child says; descriptors travel beside it."""

    names: tuple[str, ...] = ()
    error: str | None = None


class CompileError(Exception):
    """The child could not compile, or died; the message is one line that ends in why, as it was printed."""


class Compiler:
    """The parent's end. Use as a context manager: the child is gone when the block is left."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PACKET_BYTES)
        ours.settimeout(START_DEADLINE_S)
        self._socket = ours
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._told_bytes = 0
        self._folder = tempfile.TemporaryDirectory(prefix="modelwarden-")
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-m", "modelwarden.probes.compiler", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        theirs.close()

    def compile(self, source: Source) -> dict[str, int]:
        """Compiles; the descriptors of its maps by name. Raises `CompileError`."""
        self._socket.send(msgspec.json.encode(msgspec.structs.replace(source, folder=self._folder.name)))
        return self._receive()

    def load_all(self, programs: Sequence[tuple[str, str]]) -> dict[str, int]:
        """Loads programs (function, kind) at once; the descriptors of those that the kernel takes, by function."""
        try:
            return self._load(programs)
        except OSError:
            return {}

    def load(self, program: str, kind: str) -> int:
        """Loads one program; its descriptor. Raises `OSError` when the kernel refuses it."""
        return self._load([(program, kind)])[program]

    def _load(self, programs: Sequence[tuple[str, str]]) -> dict[str, int]:
        self._socket.send(msgspec.json.encode(programs))
        try:
            return self._receive()
        except CompileError as error:
            raise OSError(f"{programs[0][0]}: {error}") from None

    def __enter__(self) -> "Compiler":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        try:
            self._child.wait(timeout=EXIT_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()
        self._folder.cleanup()

    def _receive(self) -> dict[str, int]:
        try:
            raw, descriptors, _, _ = socket.recv_fds(self._socket, PACKET_BYTES, 64)
        except TimeoutError:
            raise CompileError(f"no answer from the compiler in {START_DEADLINE_S:.0f} s") from None
        if not raw:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout=EXIT_DEADLINE_S)  # its last words come after it hung up
            raise CompileError(f"the compiler died: {self._output() or 'it printed nothing'}")
        printed = self._output()
        answer = msgspec.json.decode(raw, type=Answer)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - the standard library's own signature
        if answer.error is not None:
            raise CompileError(f"{answer.error}: {printed}".rstrip(": "))
        return dict(zip(answer.names, descriptors, strict=True))

    def _output(self) -> str:
        """What the child printed since its last answer, cut down to the reason."""
        end = os.fstat(self._log.fileno()).st_size
        start = max(self._told_bytes, end - TAIL_BYTES)
        self._told_bytes = end
        # A seek would move the child's place in the file too: the two share it.
        return _reason(os.pread(self._log.fileno(), end - start, start).decode(errors="replace"))


def _reason(printed: str) -> str:
    """The lines that matter, on one line."""
    words = [" ".join(line.split()) for line in _AFTER_THE_REASON.sub("", printed).splitlines()]
    lines = [line for line in words if line]
    # Of clang's lines those with an error matter, wherever they stand, and the first one most.
    errors = [line for line in lines if " error: " in line]
    return " | ".join(errors[:REASON_LINES] or lines[-REASON_LINES:])
