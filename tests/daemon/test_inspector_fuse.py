"""The inspector before a file system that does not answer: one made here, through /dev/fuse."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk import Desk, alive, at_work, command_for
from tests.fuse import FLUSH, LOOKUP, OPEN, READ, Fuse
from tests.models import write_gguf

from modelwarden.daemon.event import Inspection

needs_fuse = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access("/dev/fuse", os.W_OK), reason="needs root and /dev/fuse"
)


@pytest.mark.root
@needs_fuse
def test_reads_a_fuse_file(tmp_path: Path) -> None:
    """A file system in user space that answers is as good as any."""
    content = write_gguf(tmp_path / "m.gguf").read_bytes()
    (tmp_path / "mount").mkdir()
    with Fuse(tmp_path / "mount", content) as fuse:
        command = asyncio.run(asyncio.to_thread(command_for, fuse.target / "m.gguf"))

        async def scenario(desk: Desk) -> None:
            event = await desk.inspect(command)
            assert (event.outcome, event.reason) == (Inspection.MODEL, None)

        at_work(scenario)


@pytest.mark.root
@needs_fuse
@pytest.mark.parametrize(
    ("silent", "reason"), [(OPEN, "its file system did not answer"), (READ, "it could not be read within")]
)
def test_fuse_file_that_never_answers(tmp_path: Path, silent: int, reason: str) -> None:
    """A request without an answer costs one file two seconds, and no other file anything."""
    other = command_for(write_gguf(tmp_path / "m.gguf"))
    (tmp_path / "mount").mkdir()
    with Fuse(tmp_path / "mount", bytes(100), {silent}) as fuse:
        command = command_for(fuse.target / "m.gguf")

        async def scenario(desk: Desk) -> None:
            event = await desk.inspect(command)
            assert event.outcome == Inspection.UNREADABLE
            assert reason in (event.reason or "")
            assert (await desk.inspect(other)).outcome == Inspection.MODEL

        at_work(scenario)


@pytest.mark.root
@needs_fuse
def test_fuse_path_that_never_resolves(tmp_path: Path) -> None:
    """A path that leads a file of a disk through a dead mount costs that file only, not the others of the disk."""
    other = command_for(write_gguf(tmp_path / "m.gguf"))
    (tmp_path / "mount").mkdir()
    with Fuse(tmp_path / "mount", bytes(100), {LOOKUP}) as fuse:
        command = replace(other, path=str(fuse.target / "m.gguf"), file=replace(other.file, inode=1))

        async def scenario(desk: Desk) -> None:
            assert "did not answer" in ((await desk.inspect(command)).reason or "")
            assert (await desk.inspect(other)).outcome == Inspection.MODEL

        at_work(scenario)


@pytest.mark.root
@needs_fuse
def test_child_that_cannot_be_killed(tmp_path: Path) -> None:
    """A close without an answer leaves a child that no signal ends: its file system is avoided until it is gone."""
    other = command_for(write_gguf(tmp_path / "m.gguf"))
    (tmp_path / "mount").mkdir()

    async def scenario(desk: Desk) -> None:
        with Fuse(tmp_path / "mount", bytes(100), {FLUSH}) as fuse:
            command = command_for(fuse.target / "m.gguf")
            assert "did not answer" in ((await desk.inspect(command)).reason or "")
            assert any(map(alive, desk.pids))
            assert (await desk.inspect(other)).outcome == Inspection.MODEL
            began = asyncio.get_running_loop().time()
            refused = await desk.inspect(replace(command, file=replace(command.file, inode=5)))
            assert "a reader still hangs on its file system" in (refused.reason or "")
            assert asyncio.get_running_loop().time() - began < 1
        await asyncio.sleep(0.2)
        retried = await desk.inspect(command)
        assert "still hangs" not in (retried.reason or "")
        assert not any(map(alive, desk.pids[:2]))

    at_work(scenario)
