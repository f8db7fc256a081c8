"""Compiles the little C program that does things (actor.c) and runs it; nobody has marked it as one of ours."""

import os
import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("actor.c")


class Actor:
    """The compiled program. Its figures are its own: its start is not in them."""

    def __init__(self, folder: Path, compiled: Path | None = None) -> None:
        """Ends the benchmark with one line when there is no C compiler, and nobody has compiled it before."""
        if compiled is not None:
            self._program = compiled
            return
        compiler = shutil.which("cc")
        if compiler is None:
            print("skipped: no C compiler (cc); apt-get install gcc libc6-dev")
            raise SystemExit
        self._program = folder / "actor"
        subprocess.run([compiler, "-O2", "-o", self._program, _SOURCE], check=True)

    def start(self, what: str, count: int, *words: str | Path | int) -> "subprocess.Popen[str]":
        """Begins; `took` waits for the end."""
        command = [str(self._program), what, str(count), *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def took(self, running: "subprocess.Popen[str]") -> float:
        """Nanoseconds an operation."""
        text, _ = running.communicate()
        if running.returncode != 0:
            raise RuntimeError(f"the actor ended with {running.returncode}")
        operations, nanoseconds = map(int, text.split())
        return nanoseconds / operations

    def ns_each(self, what: str, count: int, *words: str | Path | int) -> float:
        """Does it, from start to end; nanoseconds an operation."""
        return self.took(self.start(what, count, *words))


GGUF = b"GGUF" + (3).to_bytes(4, "little") + bytes(16)
"""The smallest file that is a model: version 3, no tensors, no keys."""


def make_files(folder: Path, count: int, suffix: str, content: bytes = GGUF) -> Path:
    """`count` files for `each`, named by number; make them before anybody watches."""
    folder.mkdir()
    for number in range(count):
        descriptor = os.open(folder / f"{number}{suffix}", os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(descriptor, content)
        os.close(descriptor)
    return folder
