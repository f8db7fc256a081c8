"""Boots a stock kernel under QEMU's software emulation with a Debian root file system, and runs a script in it.

No /dev/kvm: it may exist and not work. All disks of a guest are snapshots or copies, so it cannot change anything here.
"""

import json
import lzma
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_TREES = ("probes", "daemon", "exporters", "src", "tests", "bench", "pyproject.toml")
_ACTOR = ROOT / "bench" / "kit" / "actor.c"
_MODULES = ("virtio_pci", "virtio_blk", "ext4", "overlay", "fuse")
"""For the disks, then what tests mount: the root file systems have no modules."""
_RESULT_BYTES = 8 << 20
_INIT = """#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
for module in {modules}; do busybox insmod /$module || echo "no $module"; done
busybox mount -t ext4 /dev/vda /root || echo "no root file system"
busybox mkdir -p /root/checkout
busybox mount -t tmpfs tmpfs /root/checkout
busybox tar x -f /dev/vdb -C /root/checkout
busybox mount -o move /dev /root/dev || busybox mount -t devtmpfs dev /root/dev
exec busybox switch_root /root /bin/sh /checkout/tests/kernels/inside.sh {arguments}
"""


class GuestError(Exception):
    """A guest did not get to its end; the message has the last lines of its console."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked kernel package."""

    name: str
    release: str
    folder: Path
    image: Path


def boot(
    kernel: Kernel, image: Path, payload: Path, work: Path, timeout_s: float, append: str, arguments: Sequence[str]
) -> dict[str, Any]:
    """Runs `inside.sh` in a guest, with `append` at the end of its kernel's command line; what it wrote as JSON.

    Raises `GuestError`.
    """
    work.mkdir(parents=True, exist_ok=True)
    initrd, result, console = work / "initrd", work / "result", work / "console"
    initrd.write_bytes(_initrd(kernel, work, " ".join(arguments)))
    result.write_bytes(bytes(_RESULT_BYTES))
    words = f"console=ttyS0 loglevel=4 mitigations=off audit=0 panic=-1 random.trust_cpu=on rdinit=/init {append}"
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max,la57=off"]
    command += ["-smp", "2", "-m", "3G", "-nodefaults", "-no-reboot", "-display", "none"]
    command += ["-serial", f"file:{console}", "-kernel", str(kernel.image)]
    command += ["-initrd", str(initrd), "-append", words]
    command += ["-drive", f"file={image},format=raw,if=virtio,snapshot=on"]
    command += ["-drive", f"file={payload},format=raw,if=virtio,snapshot=on"]
    command += ["-drive", f"file={result},format=raw,if=virtio"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise GuestError(f"no end after {timeout_s:.0f} s; {_end_of(console)}") from None
    text = result.read_bytes().rstrip(b"\0")
    if not text:
        raise GuestError(f"no result; {done.stderr.strip()} {_end_of(console)}")
    found: dict[str, Any] = json.loads(text)
    return found


def pack(site: Path, target: Path, *, with_actor: bool) -> Path:
    """A tar archive of this working tree and of the Python packages that the tests need.

    With the benchmarks' program, if wanted: no guest has a C compiler.
    """
    with tarfile.open(target, "w") as archive:
        if with_actor:
            archive.add(_compile_actor(target.with_name("actor")), "actor")
        for tree in _TREES:
            archive.add(ROOT / tree, tree, filter=lambda info: None if "__pycache__" in info.name else info)
        archive.add(site, "site")
    return target


def _compile_actor(target: Path) -> Path:
    """Statically linked, so that any root file system will do."""
    if shutil.which("cc") is None:
        raise GuestError("no C compiler (cc): apt-get install gcc libc6-dev")
    command = ["cc", "-O2", "-static", "-o", str(target), str(_ACTOR)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise GuestError(done.stderr.strip())
    return target


def make_image(root: Path, target: Path) -> Path:
    """An ext4 image of a root file system."""
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        command = ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(root), str(unfinished), "3G"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise GuestError(done.stderr.strip())
        unfinished.rename(target)
    return target


def _end_of(console: Path) -> str:
    return "\n".join(console.read_text(errors="replace").splitlines()[-12:]) if console.is_file() else "it never ran"


def _initrd(kernel: Kernel, work: Path, arguments: str) -> bytes:
    """A file system in memory that loads what the disk needs and changes over to it."""
    folder = work / "initrd.d"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "dev", "root"):
        (folder / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", folder / "bin" / "busybox")
    modules = _modules(kernel)
    for name, code in modules.items():
        (folder / name).write_bytes(code)
    (folder / "init").write_text(_INIT.format(modules=" ".join(modules), arguments=arguments))
    (folder / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    command = ["cpio", "--quiet", "-o", "-H", "newc"]
    return subprocess.run(command, check=True, cwd=folder, input=names.encode(), capture_output=True).stdout


def _modules(kernel: Kernel) -> dict[str, bytes]:
    """What has to be loaded, in this order: file name and content."""
    found: dict[str, bytes] = {}
    for module in _MODULES:
        command = ["modprobe", "-d", str(kernel.folder), "-S", kernel.release, "--show-depends", module]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise GuestError(done.stderr.strip())
        for line in done.stdout.splitlines():
            word, _, path = line.strip().partition(" ")
            if word == "insmod":
                raw = Path(path).read_bytes()
                found[Path(path).name.removesuffix(".xz")] = lzma.decompress(raw) if path.endswith(".xz") else raw
    return found
