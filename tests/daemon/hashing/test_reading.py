"""The hashing child: it is behind everybody, and its end costs no more than an answer."""

import asyncio
import ctypes
import os
import signal
from pathlib import Path

from tests.desk import alive
from tests.hashing import HashDesk, hash_command, hashing, make, sum_of

from modelwarden.daemon.hashing import worker
from modelwarden.daemon.state import State


def status_of(pid: int) -> str:
    """What the kernel says of a process."""
    return Path(f"/proc/{pid}/status").read_text()


def io_class(pid: int) -> int:
    """Its class of the disk."""
    number = {"x86_64": 252, "aarch64": 31}[os.uname().machine]
    return int(ctypes.CDLL(None).syscall(ctypes.c_long(number), worker.IOPRIO_WHO_PROCESS, pid))


def test_a_child_that_dies_goes_on(tmp_path: Path) -> None:
    """A killed child costs an answer, not what has been read; the next try goes on."""
    path = make(tmp_path / "m.gguf", 1)
    os.truncate(path, 1 << 40)
    command = hash_command(path)

    async def scenario(desk: HashDesk) -> None:
        assert desk.hasher.submit(command)
        await desk.begun(command.file)
        os.kill(await desk.child(), signal.SIGKILL)
        event = await desk.answer()
        assert (event.sha256, event.reason) == (None, "the reader died on it")
        read_bytes = desk.state.hashes.find(command.file).read_bytes
        assert read_bytes > 0
        assert desk.hasher.submit(command)
        await desk.begun(command.file, read_bytes)

    hashing(tmp_path / "state", scenario)


def test_a_silent_child_is_ended(tmp_path: Path) -> None:
    """A child that neither runs nor speaks hangs; the next file is read by another."""
    large = make(tmp_path / "large", 1)
    os.truncate(large, 1 << 40)
    small = make(tmp_path / "small", 100)

    async def scenario(desk: HashDesk) -> None:
        assert desk.hasher.submit(hash_command(large))
        await desk.begun(hash_command(large).file)
        os.kill(await desk.child(), signal.SIGSTOP)
        assert (await desk.answer()).reason == "its file system did not answer within 4 s"
        assert (await desk.hash(hash_command(small))).sha256 == sum_of(small)

    hashing(tmp_path / "state", scenario, silence_s=4)


def test_the_child_is_behind_everybody(tmp_path: Path) -> None:
    """The process that reads has the idle class of the scheduler and of the disk, and no rights."""
    large = make(tmp_path / "large", 1)
    os.truncate(large, 1 << 40)

    async def scenario(desk: HashDesk) -> None:
        assert desk.hasher.submit(hash_command(large))
        await desk.begun(hash_command(large).file)
        pid = await desk.child()
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        assert io_class(pid) == worker.IOPRIO_IDLE
        status = status_of(pid)
        assert "Seccomp:\t2" in status
        assert "CapEff:\t0000000000000000" in status or os.geteuid() != 0
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])
        assert peak_kib < 64 << 10

    hashing(tmp_path / "state", scenario)


def test_cancelled_run_keeps_what_it_has(tmp_path: Path) -> None:
    """Whoever cancels the task gets rid of the children, and how far they came is stored."""
    path = make(tmp_path / "m.gguf", 1)
    os.truncate(path, 1 << 40)
    command = hash_command(path)

    async def scenario(desk: HashDesk) -> None:
        task = asyncio.create_task(desk.hasher.run())
        assert desk.hasher.submit(command)
        await desk.begun(command.file)
        task.cancel()
        await asyncio.wait([task])
        assert desk.state.hashes.find(command.file).read_bytes > 0
        await asyncio.sleep(0.1)
        assert not any(map(alive, desk.pids))

    async def run() -> None:
        with State.open(tmp_path / "state") as state:
            await scenario(HashDesk(state))

    asyncio.run(run())
