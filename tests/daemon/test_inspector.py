"""The inspector: one answer for each file, whatever the file, its file system or the readers do."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk import SOON_S, Desk, alive, at_work, command_for
from tests.models import write_gguf, write_safetensors

from modelwarden.daemon.command import InspectFile
from modelwarden.daemon.event import FileIdentity, Inspection
from modelwarden.daemon.identify.sniffer import Identity


def test_identifies_a_model(tmp_path: Path) -> None:
    """The answer to a command is an event with the same file and what it is."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))

    async def scenario(desk: Desk) -> None:
        event = await desk.inspect(command)
        assert event.at > 0
        assert (event.file, event.outcome, event.reason) == (command.file, Inspection.MODEL, None)
        assert event.identity == Identity(
            "gguf", "Tiny Llama", "llama", 2080, "Q4_K_M", "apache-2.0", tensor_types=(("F32", 2080),)
        )

    desk = at_work(scenario)
    assert desk.answers.empty()


def test_answers_in_order(tmp_path: Path) -> None:
    """Every outcome comes in the order of the commands."""
    model = command_for(write_safetensors(tmp_path / "m.safetensors"))
    text = command_for(Path(__file__))
    gone = replace(command_for(tmp_path), path="/nowhere", file=replace(model.file, inode=1))
    (tmp_path / "grown").write_bytes(b"a")
    changed = command_for(tmp_path / "grown")
    (tmp_path / "grown").write_bytes(b"longer")
    folder = command_for(tmp_path)

    async def scenario(desk: Desk) -> None:
        for command in (model, text, gone, changed, folder):
            assert desk.inspector.submit(command)
        outcomes = [(await desk.answers.get()).outcome for _ in range(5)]
        changed_too = Inspection.CHANGED
        assert outcomes == ["model", "not_a_model", "gone", changed_too, changed_too]

    at_work(scenario)


def test_same_file_is_read_once(tmp_path: Path) -> None:
    """Two commands for one state of a file get one answer, and the processes of both are tried."""
    model = tmp_path / "m.gguf"
    write_gguf(model)
    with model.open("rb") as held:
        model.unlink()
        found = os.fstat(held.fileno())
        identity = FileIdentity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        first = InspectFile(identity, str(model), (0x3FFFFF,))

        async def scenario(desk: Desk) -> None:
            assert desk.inspector.submit(first)
            assert (await desk.inspect(replace(first, pids=(os.getpid(),)))).outcome == Inspection.MODEL
            assert desk.answers.empty()

        at_work(scenario)


def test_full_queue_refuses(tmp_path: Path) -> None:
    """What has no room is refused and counted; what waits already takes no room."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))
    files = [replace(command, file=replace(command.file, inode=number)) for number in range(3)]

    async def scenario(desk: Desk) -> None:
        assert [desk.inspector.submit(one) for one in (*files, files[0])] == [True, True, False, True]
        assert (desk.inspector.dropped, desk.inspector.waiting) == (1, 2)

    at_work(scenario, queue_limit=2)


@pytest.mark.parametrize("name", ["a\nb.gguf", "\x1b[2J.gguf", "\udcff.gguf", "n" * 255])
def test_odd_names_are_names(tmp_path: Path, name: str) -> None:
    """Names arrive as Python decodes them, and lead to their files."""
    command = command_for(write_gguf(tmp_path / name), 0x3FFFFF)

    async def scenario(desk: Desk) -> None:
        assert (await desk.inspect(command)).outcome == Inspection.MODEL

    at_work(scenario)


def test_lone_surrogates_are_survived(tmp_path: Path) -> None:
    """A path that no file system gave leads nowhere, quietly."""
    command = replace(command_for(write_gguf(tmp_path / "m.gguf")), path="/\ud800")

    async def scenario(desk: Desk) -> None:
        assert (await desk.inspect(command)).outcome == Inspection.GONE

    at_work(scenario)


def test_children_are_registered_and_few(tmp_path: Path) -> None:
    """Two children serve many files, and are known before they open any."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))

    async def scenario(desk: Desk) -> None:
        assert desk.pids == []
        for _ in range(5):
            await desk.inspect(command)
        assert len(desk.pids) == 2
        assert all(map(alive, desk.pids))

    desk = at_work(scenario)
    assert not any(map(alive, desk.pids))


def test_children_are_replaced(tmp_path: Path) -> None:
    """Limits are those of a process, so that a worker serves a number of files only."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))

    async def scenario(desk: Desk) -> None:
        for _ in range(65):
            assert (await desk.inspect(command)).outcome == Inspection.MODEL
        assert len(desk.pids) == 4

    at_work(scenario)


def test_idle_children_end(tmp_path: Path) -> None:
    """Children that have nothing to do cost no memory, and come back when they are needed."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))

    async def scenario(desk: Desk) -> None:
        await desk.inspect(command)
        async with asyncio.timeout(SOON_S):
            while any(map(alive, desk.pids)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await desk.inspect(command)).outcome == Inspection.MODEL
        assert len(desk.pids) == 4

    at_work(scenario)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_child_that_dies_on_a_file(tmp_path: Path, victim: int) -> None:
    """When a child dies, its file is unreadable with a reason, and the next file is read."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))
    other = command_for(write_safetensors(tmp_path / "m.safetensors"))

    async def scenario(desk: Desk) -> None:
        await desk.inspect(other)
        os.kill(desk.pids[victim], signal.SIGSTOP)
        desk.inspector.submit(command)
        await asyncio.sleep(0.1)
        os.kill(desk.pids[victim], signal.SIGKILL)
        event = await desk.answers.get()
        assert event.outcome == Inspection.UNREADABLE
        assert "SIGKILL" in (event.reason or "")
        assert (await desk.inspect(other)).outcome == Inspection.MODEL
        # What killed a worker is never given to one again; an opener reads nothing that could kill it.
        again = await desk.inspect(command)
        assert again.outcome == (Inspection.MODEL if victim == 0 else Inspection.UNREADABLE)

    at_work(scenario)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_child_that_dies_at_rest(tmp_path: Path, victim: int) -> None:
    """A child that died of no file is replaced, and no file is blamed."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))

    async def scenario(desk: Desk) -> None:
        await desk.inspect(command)
        os.kill(desk.pids[victim], signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert (await desk.inspect(command)).outcome == Inspection.MODEL

    at_work(scenario)


def test_a_stopped_worker_is_replaced(tmp_path: Path) -> None:
    """A worker that takes more than its two seconds is killed."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))
    other = command_for(write_safetensors(tmp_path / "m.safetensors"))

    async def scenario(desk: Desk) -> None:
        await desk.inspect(other)
        os.kill(desk.pids[1], signal.SIGSTOP)
        event = await desk.inspect(command)
        assert event.reason == "it could not be read within 2 s"
        assert (await desk.inspect(other)).outcome == Inspection.MODEL
        assert not any(map(alive, desk.pids[:2]))

    at_work(scenario)


def test_close_does_not_wait_for_a_reader(tmp_path: Path) -> None:
    """Closing in the middle of an inspection ends it, without an answer."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))

    async def scenario(desk: Desk) -> None:
        await desk.inspect(command)
        os.kill(desk.pids[0], signal.SIGSTOP)
        desk.inspector.submit(command)
        await asyncio.sleep(0.05)
        began = asyncio.get_running_loop().time()
        await desk.inspector.close()
        assert asyncio.get_running_loop().time() - began < 1
        assert desk.answers.empty()

    desk = at_work(scenario)
    assert not any(map(alive, desk.pids))


def test_cancelled_run_leaves_no_children(tmp_path: Path) -> None:
    """Whoever cancels the task gets rid of the children too."""
    command = command_for(write_gguf(tmp_path / "m.gguf"))

    async def run() -> list[int]:
        desk = Desk()
        task = asyncio.create_task(desk.inspector.run())
        await desk.inspect(command)
        os.kill(desk.pids[1], signal.SIGSTOP)
        desk.inspector.submit(command)
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        return desk.pids

    assert not any(map(alive, asyncio.run(run())))
