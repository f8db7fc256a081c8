"""The child that reads engines' files: what it has given up by the time it reads, and how little it needs."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cgroups import ID
from tests.rights import NOBODY

from modelwarden.daemon.container_reader import open_owned
from modelwarden.daemon.readers import Reader

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="opens the files of several users")]

SOON_S = 15
PLACE = f"/var/lib/docker/containers/{ID}/config.v2.json"
MEASURE = """
import asyncio, os, sys
from modelwarden.daemon.readers import Reader
child = Reader("modelwarden.daemon.container_reader")
child.send(sys.argv[1].encode())
print("answered" if asyncio.run(child.receive(15)) else "silent", os.wait4(child.pid, 0)[2].ru_maxrss)
child.abandon()
"""
"""In a process of its own: what a child used starts with the size of the one that forked it."""


def ended(root: Path) -> tuple[bytes, str]:
    """The answer of a child, and its status when it had ended."""
    child = Reader("modelwarden.daemon.container_reader")
    try:
        child.send(json.dumps({"engine": "docker", "id": ID, "uid": 0, "root": str(root)}).encode())
        answer = asyncio.run(child.receive(SOON_S))
        status = Path(f"/proc/{child.pid}/status")
        until = time.monotonic() + SOON_S
        while "Z (zombie)" not in (text := status.read_text()) and time.monotonic() < until:
            time.sleep(0.002)
        return answer, text
    finally:
        child.kill()
        child.close()
        child.is_reaped()


def write(root: Path, content: bytes) -> None:
    """Docker's record of the container."""
    target = root / PLACE.lstrip("/")
    target.parent.mkdir(parents=True)
    target.write_bytes(content)


def test_it_reads_without_rights(tmp_path: Path) -> None:
    """When it has answered it is another user, without capabilities, under a filter, and can gain nothing."""
    write(tmp_path, json.dumps({"Name": "/chat"}).encode())
    answer, status = ended(tmp_path)
    assert json.loads(answer) == {"name": "chat", "image": None}
    facts = dict(re.findall(r"^(\w+):[ \t]*(.*)$", status, re.MULTILINE))
    assert "0" not in facts["Uid"].split()
    assert "0" not in facts["Gid"].split()
    assert (int(facts["CapEff"], 16), facts["Groups"].strip()) == (0, "")
    assert (facts["Seccomp"], facts["NoNewPrivs"]) == ("2", "1")


@pytest.mark.parametrize(
    "content",
    [b"[" + b"{}," * (2 << 20) + b"{}]", b'{"Name":"' + b"n" * (7 << 20) + b'"}', b'{"a":' * (1 << 20)],
    ids=["entries", "a name", "depth"],
)
def test_it_stays_small(tmp_path: Path, content: bytes) -> None:
    """Whatever the file claims, memory stays below that of a worker; the interpreter is part of it."""
    write(tmp_path, content)
    request = json.dumps({"engine": "docker", "id": ID, "uid": 0, "root": str(tmp_path)})
    command = [sys.executable, "-c", MEASURE, request]
    answer, peak = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SOON_S).stdout.split()
    assert answer == "answered"
    assert int(peak) < 96 << 10


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/a//b", "/.", "/"])
def test_odd_paths_lead_nowhere(tmp_path: Path, path: str) -> None:
    """Only a whole path of plain names is walked."""
    assert open_owned(str(tmp_path), path, 0) is None


def test_walks_to_a_file_of_its_owner(tmp_path: Path) -> None:
    """Folders may be root's, the file is the user's, and its content is what is read."""
    write(tmp_path, b"content")
    os.chown(tmp_path / PLACE.lstrip("/"), NOBODY, NOBODY)
    descriptor = open_owned(str(tmp_path), PLACE, NOBODY)
    assert descriptor is not None
    with os.fdopen(descriptor, "rb") as file:
        assert file.read() == b"content"


def test_leaves_no_descriptor_behind(tmp_path: Path) -> None:
    """Neither a way that ends early nor a file that is not believed costs one."""
    write(tmp_path, b"content")
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert open_owned(str(tmp_path), PLACE, NOBODY) is None
    with pytest.raises(FileNotFoundError):
        open_owned(str(tmp_path), "/var/lib/nothing/here", 0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
