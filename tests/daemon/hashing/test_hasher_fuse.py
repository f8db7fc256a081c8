"""The hasher before a file system that does not answer: one made here, through /dev/fuse."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest
from tests.desk import alive
from tests.fuse import FLUSH, OPEN, READ, Fuse
from tests.hashing import HashDesk, hash_command, hashing, sum_of

needs_fuse = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access("/dev/fuse", os.W_OK), reason="needs root and /dev/fuse"
)


@pytest.mark.root
@needs_fuse
def test_sums_a_fuse_file(tmp_path: Path) -> None:
    """A file system that cannot say what it has in the cache is read the plain way."""
    content = bytes(range(256)) * 3000
    (tmp_path / "mount").mkdir()
    with Fuse(tmp_path / "mount", content) as fuse:
        command = asyncio.run(asyncio.to_thread(hash_command, fuse.target / "m.gguf"))

        async def scenario(desk: HashDesk) -> None:
            event = await desk.hash(command)
            assert (event.sha256, event.reason) == (hashlib.sha256(content).hexdigest(), None)

        hashing(tmp_path / "state", scenario)


@pytest.mark.root
@needs_fuse
@pytest.mark.parametrize("silent", [OPEN, READ, FLUSH])
def test_fuse_file_that_never_answers(tmp_path: Path, silent: int) -> None:
    """A request without an answer costs one file its time, and no other file anything."""
    other = tmp_path / "m.gguf"
    other.write_bytes(b"something")
    (tmp_path / "mount").mkdir()
    pids: list[int] = []
    with Fuse(tmp_path / "mount", bytes(100), {silent}) as fuse:
        command = hash_command(fuse.target / "m.gguf")

        async def scenario(desk: HashDesk) -> None:
            event = await desk.hash(command)
            assert (event.sha256, event.reason) == (None, "its file system did not answer within 1 s")
            assert (await desk.hash(hash_command(other))).sha256 == sum_of(other)
            pids.extend(desk.pids)

        hashing(tmp_path / "state", scenario, silence_s=1)
    assert len(pids) == 4
    assert not any(map(alive, pids[2:]))
