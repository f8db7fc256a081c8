"""How long a look at 10,000 processes takes, by iterators and by /proc in turns, and how long it holds up the loop.

The processes are forks of one interpreter: each has its mappings, every hundredth holds a model open and the next one
has it in memory only. Opens by somebody else go on all the time: each must be told.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

from kit.actor import Actor, make_files
from kit.daemon import require_root
from kit.machine import introduce
from kit.table import show

from modelwarden.daemon.config import Files
from modelwarden.daemon.executor import Executor
from modelwarden.daemon.pipeline import Core
from modelwarden.probes.clock import boot_ns
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.loader import ProbesUnavailableError, load
from modelwarden.probes.reader import Reader
from modelwarden.probes.sampled.procfs import FileFound, ProcessFound, Procfs, Resynced
from modelwarden.probes.sampled.running import Running

PROCESSES, HOLDERS = 10_000, 200
ROUNDS = 5
OPENS, OPENS_A_SECOND = 2_000, 2_000
TURN_S = 0.001
RECORDS_A_TURN = 512
LIMIT_S = 60.0

CROWD = f"""
import mmap, os, sys
waiting, path = int(sys.argv[1]), sys.argv[2]
for number in range({PROCESSES}):
    if os.fork() == 0:
        if number % 100 == 0:
            os.open(path, os.O_RDONLY)
        elif number % 100 == 1:
            import ctypes
            libc = ctypes.CDLL(None)
            held = os.open(path, os.O_RDONLY)
            libc.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ, mmap.MAP_SHARED, held, ctypes.c_long(0))
            os.close(held)
        os.write(1, b".")
        os.read(waiting, 1)
        os._exit(0)
os.read(waiting, 1)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


@contextmanager
def crowd(model: Path) -> Iterator[None]:
    """So many processes, which end when the last writer of a pipe is gone."""
    waiting, ending = os.pipe()
    program = model.with_name("crowd.py")
    program.write_text(CROWD)
    words = [sys.executable, "-I", "-S", str(program), str(waiting), str(model)]
    parent = subprocess.Popen(words, pass_fds=[waiting], stdout=subprocess.PIPE, close_fds=True)
    os.close(waiting)
    try:
        assert parent.stdout is not None
        there = sum(len(parent.stdout.read(100)) for _ in range(PROCESSES // 100))
        if there != PROCESSES:
            raise SystemExit(f"only {there} processes could be made; see ulimit -u and /proc/sys/kernel/pid_max")
        yield
    finally:
        os.close(ending)
        parent.wait()


@dataclass(slots=True)
class Look:
    """One look at everything, in the daemon's own loop."""

    seconds: float = 0.0
    """Until the core has thought about all of it."""
    stall_s: float = 0.0
    """The longest time between two turns of the loop."""
    told: int = 0
    """Opens that arrived meanwhile and after."""
    lost: int = 0


async def look(kernel: Kernel, running: Running, actor: Actor, files: Path) -> Look:
    """Lets an executor scan, as the daemon does, while somebody else opens files."""
    result, core, reader, done = Look(), Core(()), Reader(kernel), asyncio.Event()
    opening = actor.start("paced-each", OPENS, files, ".gguf", OPENS_A_SECOND)

    def put(events: list[Event]) -> None:
        for event in events:
            core.step(event)
            result.told += isinstance(event, FileOpened) and event.pid == opening.pid  # others may look into them too
            if isinstance(event, Resynced):
                done.set()

    async def turns() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TURN_S)
            while kernel.drain(RECORDS_A_TURN, lambda batch: put(reader.decode(batch))):
                pass
            now = time.perf_counter()
            result.stall_s, last = max(result.stall_s, now - last), now

    others: dict[str, Any] = {"inspector": None, "keeper": None}
    loop = asyncio.get_running_loop()
    executor = Executor(kernel=kernel, running=running, loop=loop, put=put, **others)  # type: ignore[arg-type]
    turning = asyncio.create_task(turns())
    begun = time.perf_counter()
    executor.scan()
    await asyncio.wait_for(done.wait(), LIMIT_S)
    result.seconds = time.perf_counter() - begun
    await asyncio.to_thread(actor.took, opening)
    await asyncio.sleep(10 * TURN_S)
    turning.cancel()
    executor.close()
    result.lost = sum(one.count for one in reader.losses(boot_ns()))
    return result


def alone(source: Running) -> float:
    """Seconds of one sample, nobody waiting for it; ends the benchmark when it has missed something."""
    begun = time.perf_counter()
    events = list(source.sample(boot_ns()))
    seconds = time.perf_counter() - begun
    processes = sum(isinstance(one, ProcessFound) for one in events)
    held = sum(isinstance(one, FileFound) and one.path.endswith("/held.gguf") for one in events)
    if source.problem is not None or processes < PROCESSES or held != HOLDERS:
        raise SystemExit(f"{source.problem}: {processes} processes, {held} of {HOLDERS} held files")
    return seconds


def main() -> None:
    """Both ways in turns; medians and worst."""
    require_root()
    introduce()
    with tempfile.TemporaryDirectory(prefix="modelwarden-bench-") as name:
        folder = Path(name)
        actor = Actor(folder)
        (folder / "held.gguf").write_bytes(bytes(4096))
        batches = [make_files(folder / f"{number}", OPENS, ".gguf") for number in range(2 * ROUNDS)]
        with crowd(folder / "held.gguf"):
            try:
                kernel = load(Files().large_bytes)
            except ProbesUnavailableError as error:
                raise SystemExit(str(error)) from error
            kernel.watch(os.getpid(), 0, watched=False)  # or what the actor opens would be ours
            try:
                measure(kernel, actor, batches)
            finally:
                kernel.close()


def measure(kernel: Kernel, actor: Actor, batches: list[Path]) -> None:
    """All rounds, and the tables."""
    procfs = Procfs(Files().large_bytes)
    sources = {
        "iterators": Running(kernel, procfs),
        "/proc": Running(cast("Kernel", SimpleNamespace(programs=[])), procfs),
    }
    took: dict[str, list[float]] = {name: [] for name in sources}
    looks: dict[str, list[Look]] = {name: [] for name in sources}
    for _ in range(ROUNDS):
        for name, source in sources.items():
            took[name].append(alone(source))
            looks[name].append(asyncio.run(look(kernel, source, actor, batches.pop())))
    kinds = ", ".join(f"{one.name} by {one.hook}" for one in kernel.states if one.name in {"running", "mapped"})
    head = ("", "sample, s", "worst", "in the daemon, s", "worst", "longest stall, ms", "opens told", "lost")
    title = f"{PROCESSES:,} processes, {ROUNDS} rounds in turns ({kinds}); targets: a sample below 2 s, no stall above"
    title += f" 100 ms, {OPENS:,} opens told each time, none lost"
    show(title, head, [_cells(name, took[name], looks[name]) for name in sources])
    ratios = [slow / quick for quick, slow in zip(took["iterators"], took["/proc"], strict=True)]
    print(f"\n/proc takes {median(ratios):.1f} times as long as the iterators")


def _cells(name: str, took: list[float], looks: list[Look]) -> tuple[str, ...]:
    inside, told = [one.seconds for one in looks], {one.told for one in looks}
    return (
        name,
        f"{median(took):.2f}",
        f"{max(took):.2f}",
        f"{median(inside):.2f}",
        f"{max(inside):.2f}",
        f"{max(one.stall_s for one in looks) * 1000:.0f}",
        ", ".join(f"{count:,}" for count in sorted(told)),
        f"{sum(one.lost for one in looks):,}",
    )


if __name__ == "__main__":
    main()
