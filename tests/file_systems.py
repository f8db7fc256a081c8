"""File systems on which stat and the kernel tell a file by different numbers, mounted for the time of a test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

KINDS = {
    # A file in a subvolume: stat shows a device that no mount has.
    "btrfs": """
        truncate --size 128M image
        mkfs.btrfs --quiet image
        mkdir merged
        mount -o loop image merged
        btrfs subvolume create merged/layer
        cp source merged/layer/m.gguf
        """,
    # Layers on one file system: stat and the kernel agree.
    "overlay": """
        mkdir -p lower/layer upper work merged
        cp source lower/layer/m.gguf
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none merged
        """,
    # Layers on two file systems: stat shows a device for each.
    "overlay on two": """
        mkdir -p lower upper work merged
        mount -t tmpfs none lower
        mkdir lower/layer
        cp source lower/layer/m.gguf
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none merged
        """,
}
"""Shell commands that mount each in the working directory, with a copy of the file `source` in it, at `MODEL`."""

MODEL = Path("merged/layer/m.gguf")


@contextmanager
def mounted(kind: str, folder: Path, source: Path) -> Iterator[Path]:
    """The copy of `source` on a file system of this kind; unmounted and removed in any case."""
    folder.mkdir()
    (folder / "source").symlink_to(source)
    try:
        done = subprocess.run(["/bin/sh", "-ec", KINDS[kind]], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            cannot_mount(kind, done.stderr)
        yield folder / MODEL
    finally:
        for mount in reversed(mounts_below(folder)):
            subprocess.run(["/bin/umount", "--lazy", mount], check=True)
        shutil.rmtree(folder)


def cannot_mount(kind: str, said: str) -> None:
    """Skips where a machine has no right or no loop device to mount, except where it must (CI)."""
    if os.environ.get("CI"):
        pytest.fail(f"cannot mount {kind}: {said}")
    pytest.skip(f"cannot mount {kind}: {said.strip()}")


def mounts_below(folder: Path) -> list[str]:
    """The mounts in a folder, in the order in which they were made."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines if line.split()[4].startswith(f"{folder}/")]


def kernel_device(folder: Path) -> int:
    """The device of the superblock that is mounted at a folder, as mountinfo has it."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[4] == str(folder):
            major, minor = map(int, fields[2].split(":"))
            return os.makedev(major, minor)
    raise AssertionError(f"nothing is mounted at {folder}")
