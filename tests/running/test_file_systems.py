"""Models on file systems whose stat and kernel disagree: identified, and one model for one file."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests import file_systems, models
from tests.running.daemon import Daemon

pytestmark = pytest.mark.bpf

MakeDaemon = Callable[..., Daemon]

HOLD = """
import mmap, sys
print("mounted", flush=True)
input()
held = open(sys.argv[1], "rb")
keep = mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ)
input()
"""
"""Opens and maps a file when it is told to, and keeps it."""


class Holder:
    """A process that opens a model and keeps it, if it shall in a mount namespace where it has mounted it first."""

    def __init__(self, path: Path, *, mounts: str = "") -> None:
        own = ["/usr/bin/unshare", "--mount", "--propagation", "private"] if mounts else []
        script = f'{{\n{mounts or ":"}\n}} >&2; exec "$@"'
        words = [*own, "/bin/sh", "-ec", script, "sh", sys.executable, "-c", HOLD, str(path)]
        self.process = subprocess.Popen(
            words,
            cwd=path.parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "mounted\n":
            file_systems.cannot_mount("in a namespace", self.process.communicate()[1])

    def open(self) -> None:
        """Lets it open the model."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@contextmanager
def holding(path: Path, *, mounts: str = "") -> Iterator[Holder]:
    """A holder for the time of a test."""
    holder = Holder(path, mounts=mounts)
    with holder.process:
        try:
            yield holder
        finally:
            holder.process.kill()


@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_one_file_is_one_model(make_daemon: MakeDaemon, tmp_path: Path, kind: str) -> None:
    """Opened in our mounts or in those of a container, and found again by a daemon that comes later."""
    source = models.write_gguf(tmp_path / "source.gguf", name="tiny-random", file_type=1)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(source, theirs / "source")
    with (
        file_systems.mounted(kind, tmp_path / "ours", source) as here,
        holding(here) as ours,
        holding(theirs / file_systems.MODEL, mounts=file_systems.KINDS[kind]) as contained,
    ):
        there = theirs / file_systems.MODEL
        assert not there.exists()
        first = make_daemon().start()
        for holder in (ours, contained):
            holder.open()
        for path in (here, there):
            entry = first.opened(path)
            assert (entry["name"], entry["format"]) == ("tiny-random", "gguf")
        assert first.stop() == 0

        second = make_daemon().start()
        for path in (here, there):
            second.opened(path)
        subprocess.run(["/bin/cat", here], check=True, stdout=subprocess.DEVNULL)
        second.model(here, lambda model: model["opens"] == 2)
        assert second.stop() == 0

        seen = second.run("census")["models"]
        assert [one["format"] for one in seen if str(here) in one["paths"]] == ["gguf"]
        assert [one["format"] for one in seen if str(there) in one["paths"]] == ["gguf"]
