"""What hashing models in the background takes, beside `sha256sum`, and what others notice of it, in one run, in turns.

The hasher is the daemon's own, with its children, but without a daemon around it. Files are made where --folder says;
on a file system in memory nothing is ever uncached.
"""

import argparse
import asyncio
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from kit.machine import introduce
from kit.table import show

from modelwarden.daemon.command import HashFile
from modelwarden.daemon.event import FileHashed, FileIdentity
from modelwarden.daemon.hashing.hasher import Hasher
from modelwarden.daemon.state import State

REPETITIONS = 5
MIB = 1 << 20
SIZE_MIB = 1024
SPIN = "import hashlib, sys\nfor _ in range(int(sys.argv[1])): hashlib.sha256(bytes(1 << 20))"
SPIN_MIB = 2048
"""Work of one competitor for a processor: about two seconds."""
READ = "import sys\nwith open(sys.argv[1], 'rb', buffering=0) as file:\n    while file.read(1 << 20): pass"


class Bench:
    """A hasher at work, and the files that it is given."""

    def __init__(self, folder: Path, state: State, size_mib: int) -> None:
        self.folder = folder
        self.size = size_mib * MIB
        self.answers: asyncio.Queue[FileHashed] = asyncio.Queue()
        self.pids: list[int] = []
        self.hasher = Hasher(
            self.answers.put_nowait, time.monotonic_ns, state.hashes, register=self.pids.append, settle_s=0
        )

    def make(self, name: str) -> Path:
        """A file of the size, on the disk."""
        path = self.folder / name
        with path.open("wb") as file:
            for _ in range(self.size // MIB):
                file.write(os.urandom(MIB))
            file.flush()
            os.fsync(file.fileno())
        return path

    async def seconds(self, path: Path) -> float:
        """How long the hasher takes; the file becomes another state of itself, which it does not know yet."""
        os.utime(path)
        found = os.stat(path)  # noqa: PTH116
        file = FileIdentity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        begun = time.perf_counter()
        assert self.hasher.submit(HashFile(file, str(path), (os.getpid(),)))
        answer = await self.answers.get()
        if answer.sha256 is None:
            raise SystemExit(f"{path}: {answer.reason}")
        return time.perf_counter() - begun

    @asynccontextmanager
    async def hashing(self, path: Path | None, *, keep: bool) -> AsyncIterator[None]:
        """The hasher reads a file again and again, out of the cache when that is to be kept; nothing without a path."""

        async def again(target: Path) -> None:
            while True:
                if not keep:
                    drop(target)
                await self.seconds(target)

        task = None if path is None else asyncio.create_task(again(path))
        await asyncio.sleep(0.2)
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                while self.hasher.waiting:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                while not self.answers.empty():
                    self.answers.get_nowait()


def drop(path: Path) -> None:
    """Takes a file out of the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def warm(path: Path) -> None:
    """Brings a file into the page cache."""
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")


async def run(*commands: Sequence[str | Path]) -> float:
    """Seconds until all of them have ended."""
    begun = time.perf_counter()
    started = [await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL) for command in commands]
    for one in started:
        if await one.wait() != 0:
            raise SystemExit("a command of the benchmark failed")
    return time.perf_counter() - begun


async def throughput(bench: Bench, path: Path, repetitions: int) -> None:
    """The hasher beside sha256sum, on the same file."""
    ways: dict[str, Callable[[], Awaitable[float]]] = {
        "sha256sum": lambda: run(["sha256sum", path]),
        "hasher": lambda: bench.seconds(path),
    }
    places: dict[str, Callable[[Path], None]] = {"in the cache": warm, "on the disk": drop}
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(repetitions):
        for place, prepare in places.items():
            for name in random.sample(list(ways), len(ways)):
                prepare(path)
                took[place, name].append(bench.size / MIB / await ways[name]())
    rows = []
    for place in places:
        base, ours = (median(took[place, name]) for name in ways)
        rows.append([place, f"{base:,.0f}", f"{ours:,.0f}", f"{ours / base:.2f}"])
    show(f"MiB a second, medians of {repetitions} in turns", ("file", *ways, "ratio"), rows)


async def slowdown(bench: Bench, path: Path, other: Path, repetitions: int) -> None:
    """What those notice who want the processors, or the disk, while the hasher reads."""
    count = os.cpu_count() or 1
    spin, read = [sys.executable, "-c", SPIN, str(SPIN_MIB)], [sys.executable, "-c", READ, other]
    ways: dict[str, Callable[[], Awaitable[float]]] = {
        "a processor each": lambda: run(*[spin] * count),
        "reading from the disk": lambda: run(read),
    }
    monitors: dict[str, tuple[Path | None, bool]] = {
        "none": (None, True), "hashing the cache": (path, True), "hashing the disk": (path, False)
    }  # fmt: skip
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(repetitions):
        for monitor in random.sample(list(monitors), len(monitors)):
            target, keep = monitors[monitor]
            for name, competitor in ways.items():
                warm(path)
                drop(other)
                async with bench.hashing(target, keep=keep):
                    took[name, monitor].append(await competitor())
    rows = []
    for name in ways:
        base = median(took[name, "none"])
        rows.append([name, *(f"{(v := median(took[name, one])):.2f} ({v / base:.2f})" for one in monitors)])
    show(f"seconds, medians of {repetitions} in turns (against none)", ("who else works", *monitors), rows)


async def measure(folder: Path, size_mib: int, repetitions: int) -> None:
    """All of it."""
    with State.open(folder / "state") as state:
        bench = Bench(folder, state, size_mib)
        task = asyncio.create_task(bench.hasher.run())
        path, other = bench.make("model"), bench.make("other")
        await bench.seconds(path)  # its children have started
        await throughput(bench, path, repetitions)
        await slowdown(bench, path, other, repetitions)
        await bench.hasher.close()
        await task


def main() -> None:
    """In a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--mib", type=int, default=SIZE_MIB, help="size of each of the two files")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="where they are made")  # noqa: S108
    args = parser.parse_args()
    introduce()
    with tempfile.TemporaryDirectory(prefix="modelwarden-bench-", dir=args.folder) as name:
        asyncio.run(measure(Path(name), args.mib, args.repetitions))


if __name__ == "__main__":
    main()
