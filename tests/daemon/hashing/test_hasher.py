"""The hasher: one answer for each state of a file, and each is read once."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk import alive
from tests.hashing import HashDesk, hash_command, hashing, make, sum_of

from modelwarden.daemon.state_hashes import Sum

MIB = 1 << 20


@pytest.mark.parametrize("size", [0, 1, 64, 4097, 3 * MIB + 5])
def test_is_the_sum(tmp_path: Path, size: int) -> None:
    """The answer to a command is the sum that hashlib has, for the same state of the file."""
    path = make(tmp_path / "m.gguf", size)
    command = hash_command(path)

    async def scenario(desk: HashDesk) -> None:
        event = await desk.hash(command)
        assert event.at > 0
        assert (event.file, event.sha256, event.reason) == (command.file, sum_of(path), None)

    hashing(tmp_path / "state", scenario)


def test_reads_holes(tmp_path: Path) -> None:
    """A sparse file has the sum of its zeros."""
    path = make(tmp_path / "m.gguf", 1)
    os.truncate(path, 200 * MIB)
    command = hash_command(path)

    async def scenario(desk: HashDesk) -> None:
        assert (await desk.hash(command)).sha256 == sum_of(path)

    hashing(tmp_path / "state", scenario)


def test_is_read_once_for_ever(tmp_path: Path) -> None:
    """After a restart the answer is there at once, without a child; another state of the file is read."""
    path = make(tmp_path / "m.gguf", 4097)
    command = hash_command(path)

    async def first(desk: HashDesk) -> None:
        await desk.hash(command)
        await desk.hash(command)
        assert len(desk.pids) == 2

    async def again(desk: HashDesk) -> None:
        assert (await desk.hash(command)).sha256 == sum_of(path)
        assert desk.pids == []
        path.touch()
        assert (await desk.hash(hash_command(path))).sha256 == sum_of(path)
        assert len(desk.pids) == 2

    hashing(tmp_path / "state", first)
    hashing(tmp_path / "state", again)


def test_known_answers_overtake(tmp_path: Path) -> None:
    """While a large file is read, what is known is told."""
    known, large = make(tmp_path / "known", 1), make(tmp_path / "large", 1)
    os.truncate(large, 1 << 40)

    async def scenario(desk: HashDesk) -> None:
        await desk.hash(hash_command(known))
        assert desk.hasher.submit(hash_command(large))
        await desk.begun(hash_command(large).file)
        assert (await desk.hash(hash_command(known))).sha256 == sum_of(known)

    hashing(tmp_path / "state", scenario)


def test_goes_on_after_a_stop(tmp_path: Path) -> None:
    """A stop in the middle ends within a second; the next run goes on where it was, and the sum is right."""
    path = make(tmp_path / "m.gguf", 2 * MIB)
    os.truncate(path, (2 << 30) + 5)
    command = hash_command(path)
    stopped_at = 0

    async def first(desk: HashDesk) -> None:
        nonlocal stopped_at
        assert desk.hasher.submit(command)
        await desk.begun(command.file)
        began = time.monotonic()
        await desk.hasher.close()
        assert time.monotonic() - began < 1
        assert not any(map(alive, desk.pids))
        assert desk.answers.empty()
        stopped_at = desk.state.hashes.find(command.file).read_bytes
        assert 0 < stopped_at < (2 << 30) + 5

    async def again(desk: HashDesk) -> None:
        seen: list[int] = []
        note = desk.hasher._note

        async def noted(found: Sum) -> None:
            seen.append(found.read_bytes)
            await note(found)

        desk.hasher._note = noted  # type: ignore[method-assign]
        assert (await desk.hash(command)).sha256 == sum_of(path)
        assert all(one > stopped_at for one in seen)
        assert desk.state.hashes.find(command.file).sha256 == sum_of(path)

    hashing(tmp_path / "state", first)
    hashing(tmp_path / "state", again)


def test_goes_on_from_the_middle_only(tmp_path: Path) -> None:
    """What was stored is believed: the bytes before it are not read again."""
    path = make(tmp_path / "m.gguf", 3 * MIB)
    command = hash_command(path)

    async def scenario(desk: HashDesk) -> None:
        desk.state.hashes.keep(command.file, Sum(None, MIB, bytes(32)))
        event = await desk.hash(command)
        assert event.sha256 is not None
        assert event.sha256 != sum_of(path)

    hashing(tmp_path / "state", scenario)


def test_another_state_has_no_sum(tmp_path: Path) -> None:
    """Given a file that was written to before it was its turn, then there is a reason and no sum."""
    path = make(tmp_path / "m.gguf", 100)
    command = hash_command(path)
    make(path, 100, seed=1)

    async def scenario(desk: HashDesk) -> None:
        event = await desk.hash(command)
        assert (event.sha256, event.reason) == (None, "another file or other content stands where it was")
        gone = replace(command, path="/nowhere", file=replace(command.file, inode=1))
        assert (await desk.hash(gone)).reason == "no process holds it and no path leads to it any more"

    hashing(tmp_path / "state", scenario)


@pytest.mark.parametrize("way", ["grows", "shrinks", "is written to"])
def test_changes_meanwhile(tmp_path: Path, way: str) -> None:
    """A file that changes under the reader has no sum, and what was summed up of it is not kept."""
    path = make(tmp_path / "m.gguf", 1)
    os.truncate(path, 1 << 40)
    command = hash_command(path)

    async def scenario(desk: HashDesk) -> None:
        assert desk.hasher.submit(command)
        await desk.begun(command.file)
        if way == "is written to":
            with path.open("r+b") as file:
                file.write(b"other")
        else:
            os.truncate(path, (1 << 40) + 1 if way == "grows" else MIB)
        event = await desk.answer()
        assert (event.sha256, event.reason) == (None, "it changed while it was read")
        assert desk.state.hashes.find(command.file) == Sum()

    hashing(tmp_path / "state", scenario)


def test_is_replaced_meanwhile(tmp_path: Path) -> None:
    """Another file that takes the name takes a link from the one that is read, whose state that changes."""
    path = make(tmp_path / "m.gguf", 1)
    os.truncate(path, 1 << 40)
    command = hash_command(path)

    async def scenario(desk: HashDesk) -> None:
        assert desk.hasher.submit(command)
        await desk.begun(command.file)
        make(tmp_path / "new", 5).rename(path)
        assert (await desk.answer()).reason == "it changed while it was read"
        assert (await desk.hash(hash_command(path))).sha256 == sum_of(path)

    hashing(tmp_path / "state", scenario)


def test_the_queue_is_bounded(tmp_path: Path) -> None:
    """What has no room is refused and counted; what waits already takes no room."""
    command = hash_command(make(tmp_path / "m.gguf", 1))
    files = [replace(command, file=replace(command.file, inode=number)) for number in range(3)]

    async def scenario(desk: HashDesk) -> None:
        assert [desk.hasher.submit(one) for one in (*files, files[0])] == [True, True, False, True]
        assert (desk.hasher.dropped, desk.hasher.waiting) == (1, 2)

    hashing(tmp_path / "state", scenario, queue_limit=2, settle_s=60)


def test_a_file_settles_first(tmp_path: Path) -> None:
    """A file is not begun before its time has come: whoever loads it does so undisturbed."""
    command = hash_command(make(tmp_path / "m.gguf", 1))

    async def scenario(desk: HashDesk) -> None:
        assert desk.hasher.submit(command)
        await asyncio.sleep(0.3)
        assert (desk.pids, desk.hasher.waiting) == ([], 1)

    hashing(tmp_path / "state", scenario, settle_s=60)
