"""Finding a file where stat and the kernel disagree about its device, and where no mount leads to it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import file_systems
from tests.finding import DEAD, content, needs_root, outcome, process, request_for, state

from modelwarden.daemon.locate import CHANGED, Request


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file with weights."""
    path = tmp_path / "m.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_the_device_is_the_superblocks(tmp_path: Path, model: Path, kind: str) -> None:
    """What the kernel says of a file finds it, whatever stat shows, by its path or held and deleted; no other does."""
    with file_systems.mounted(kind, tmp_path / "mounts", model) as path:
        request = request_for(path, pids=(DEAD,))
        request.device = file_systems.kernel_device(path.parents[1])
        assert content(request) == b"weights"
        request.device += 1
        assert outcome(request) == CHANGED
        with path.open("rb") as held:
            path.unlink()
            request = Request(state(os.fstat(held.fileno())), os.fsencode(path), (os.getpid(),))
            request.device = file_systems.kernel_device(path.parents[1])
            assert content(request) == b"weights"


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_the_device_is_known_without_inotify(tmp_path: Path, model: Path, kind: str) -> None:
    """Where the user's watches are used up, the mount tells it, though the root of who held the file hides it."""
    code = (
        "import os, sys; from modelwarden.daemon.locate import *; from modelwarden.probes.inode import kernel_inode;"
        "assert kernel_inode(b'/proc/self/exe') is None;"
        "found, verdict = locate(Request.decode(os.fsencode(sys.argv[1]).replace(b'|', b'\\0')));"
        "print(verdict, os.read(found, 99))"
    )
    limited = ["unshare", "--user", "--map-root-user", "/bin/sh", "-ec"]
    script = 'echo 0 > /proc/sys/user/max_inotify_instances; exec "$@"'
    with (
        file_systems.mounted(kind, tmp_path / "mounts", model) as path,
        process("import os, sys; os.chroot(sys.argv[1])", tmp_path) as pid,
    ):
        request = request_for(path, pids=(pid,))
        request.device = file_systems.kernel_device(path.parents[1])
        sent = os.fsdecode(request.encode().replace(b"\0", b"|"))
        command = [*limited, script, "sh", sys.executable, "-c", code, sent]
        done = subprocess.run(command, check=True, capture_output=True)
        assert done.stdout == b"b'opened' b'weights'\n"


def test_finds_a_memfd_that_a_process_holds() -> None:
    """A file of a mount that nobody sees is found by what stat shows."""
    held = os.memfd_create("m.gguf")
    try:
        os.write(held, b"in memory")
        request = Request(state(os.fstat(held)), b"/memfd:m.gguf", (os.getpid(),))
        assert content(request) == b"in memory"
    finally:
        os.close(held)


@pytest.mark.root
@needs_root
def test_a_mapping_with_the_same_number_hides_nothing(tmp_path: Path) -> None:
    """Given files with one inode number on two file systems, mapped and not open any more, then each is found."""
    code = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
for folder in sys.argv[1:]:
    libc.mount(b"t", folder.encode(), b"tmpfs", 0, None)
    with open(folder + "/m.gguf", "w+") as file:
        file.write(folder)
        file.flush()
        libc.mmap(None, 4096, 1, 2, file.fileno(), ctypes.c_long(0))
"""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with process(code, *folders, unshare=True) as pid:
        found = [Path(f"/proc/{pid}/root{folder}/m.gguf").stat() for folder in folders]
        assert found[0].st_ino == found[1].st_ino
        assert [content(Request(state(one), b"/nowhere", (pid,))) for one in found] == list(map(os.fsencode, folders))
