"""The kernel's own numbers of a file, from a watch on it or from the mount that it is on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import file_systems
from tests.finding import needs_root

from modelwarden.probes.inode import MOUNTS_LIMIT, kernel_inode, mounted_inode


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file on a disk."""
    path = tmp_path / "m.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def descriptor(file: Path) -> Iterator[int]:
    """A descriptor that has no right to read."""
    opened = os.open(file, os.O_PATH)
    yield opened
    os.close(opened)


def link_to(descriptor: int) -> bytes:
    """The link in /proc."""
    return b"/proc/self/fd/%d" % descriptor


def shown(descriptor: int) -> tuple[int, int]:
    """What stat shows."""
    facts = os.fstat(descriptor)
    return facts.st_dev, facts.st_ino


def test_agrees_with_stat_on_a_plain_file_system(descriptor: int) -> None:
    """Most file systems show the kernel's numbers, again and again, also once the name is gone."""
    assert [kernel_inode(link_to(descriptor)) for _ in range(3)] == [shown(descriptor)] * 3


def test_finds_what_no_mount_leads_to() -> None:
    """A memfd has a superblock, but nobody sees its mount."""
    descriptor = os.memfd_create("m.gguf")
    try:
        assert kernel_inode(link_to(descriptor)) == shown(descriptor)
        fdinfo = Path(f"/proc/self/fdinfo/{descriptor}").read_bytes()
        assert mounted_inode(fdinfo, shown(descriptor)[1], [b"/proc/self/mountinfo"]) is None
    finally:
        os.close(descriptor)


@pytest.mark.root
@needs_root
@pytest.mark.parametrize("kind", file_systems.KINDS)
def test_both_ways_lead_to_the_superblock(tmp_path: Path, file: Path, kind: str) -> None:
    """The watch and the mount say the same, which is what mountinfo says of the mount."""
    with file_systems.mounted(kind, tmp_path / "mounts", file) as path, path.open("rb") as held:
        device = file_systems.kernel_device(path.parents[1])
        fdinfo = Path(f"/proc/self/fdinfo/{held.fileno()}").read_bytes()
        assert kernel_inode(link_to(held.fileno())) == (device, path.stat().st_ino)
        assert mounted_inode(fdinfo, 0, [b"/proc/self/mountinfo"]) == (device, path.stat().st_ino)
        assert (path.stat().st_dev == device) == (kind == "overlay")


def test_a_link_to_nothing(descriptor: int) -> None:
    """What is gone has no numbers, and the next one has its own."""
    assert kernel_inode(b"/proc/self/fd/-1") is None
    assert kernel_inode(link_to(descriptor)) == shown(descriptor)


FDINFO = b"pos:\t0\nflags:\t0100000\nmnt_id:\t65\nino:\t257\n"
LINE = b"65 1 0:39 / /models rw - btrfs /dev/loop0 rw\n"


@pytest.mark.parametrize(
    ("fdinfo", "mountinfos", "found"),
    [
        (FDINFO, [LINE], (os.makedev(0, 39), 257)),
        (FDINFO.replace(b"ino:\t257\n", b""), [LINE], (os.makedev(0, 39), 9)),
        (FDINFO, [b"", LINE.replace(b"0:39", b"259:1048575")], (os.makedev(259, 1048575), 257)),
        (FDINFO, [b"7 65 0:1 / /65 rw - x 65 rw\n" + LINE], (os.makedev(0, 39), 257)),
        (FDINFO, [b"7 1 0:1 / /a\\01265\\0401\\0408:1 rw - x x rw\n"], None),
        (FDINFO, [b"65\n65 1\n65 1 x\n"], None),
        (FDINFO, [b"65 1 x:y / / rw\n" + LINE], None),
        (FDINFO, [b"7 1 0:1 / /a rw - x x rw" + b" " * MOUNTS_LIMIT + b"\n" + LINE], None),
        (FDINFO, [], None),
        (b"", [LINE], None),
        (b"ino:\t257\nmnt_id:", [LINE], None),
    ],
)
def test_mounts_are_read_by_their_first_fields(
    tmp_path: Path, fdinfo: bytes, mountinfos: list[bytes], found: tuple[int, int] | None
) -> None:
    """Names of mounts, too many of them and lines without sense are no mount; before Linux 5.14 stat has the inode."""
    files = []
    for number, content in enumerate(mountinfos):
        (tmp_path / str(number)).write_bytes(content)
        files.append(os.fsencode(tmp_path / str(number)))
    assert mounted_inode(fdinfo, 9, [*files, b"/nowhere"]) == found
