"""Fetches Debian's stock kernels and root file systems from the configured mirror, into a cache elsewhere."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from guest import Kernel

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelwarden-kernels"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TEST_PACKAGES = ("msgspec", "pytest", "pytest-randomly")
PYTHONS = {"bookworm": "3.11", "trixie": "3.13", "sid": "3.14"}
"""Release of Debian → its Python."""
KERNELS = {
    "5.10": ("bullseye", "linux-image-amd64"),
    "6.1": ("bookworm", "linux-image-amd64"),
    "6.12": ("bookworm", "linux-image-6.12-amd64"),
    "sid": ("sid", "linux-image-amd64"),
}
"""Name → release of Debian and the package that depends on its newest kernel."""
_PARTS = ("linux-image-", "linux-base-", "linux-binary-", "linux-modules-")
"""Since 7.2 a kernel is several packages."""
_EXTRA = ("-unsigned", "-dbg", "-headers")


class UnavailableError(Exception):
    """The mirror does not serve it; the message says what was asked for."""


@cache
def kernel(name: str) -> Kernel:
    """An unpacked kernel, fetched when the mirror has a newer one; `UnavailableError` when it has none."""
    suite, package = KERNELS[name]
    options = _apt_options(suite)
    wanted = _real_packages(package, options)
    image = next(name for name in wanted if name.startswith("linux-image-"))
    folder = CACHE / "kernels" / image.removeprefix("linux-image-")
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _run(["apt-get", *options, "-qq", "download", *wanted], folder)
        for archive in folder.glob("*.deb"):
            _run(["dpkg", "-x", str(archive), str(folder)], folder)
            archive.unlink()
        if not (folder / "lib").exists():
            (folder / "lib").symlink_to("usr/lib")
        _run(["depmod", "-b", str(folder), _unpacked(name, folder).release], folder)
        (folder / "complete").touch()
    return _unpacked(name, folder)


def root_file_system(suite: str) -> Path:
    """What `debootstrap` makes of a release, with bcc and libbpf as this release has them."""
    root = CACHE / "roots" / suite
    if not (root / "complete").is_file():
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        include = "--include=python3,python3-bpfcc,libbpf1"
        _run(["debootstrap", "--variant=minbase", include, suite, str(root), _mirrors()[0]], root.parent)
        (root / "complete").touch()
    return root


def site_packages(suite: str, constraints: Path, pip: list[str]) -> Path:
    """What the tests import, for the release's Python."""
    site = CACHE / "sites" / PYTHONS[suite]
    if not (site / "complete").is_file():
        shutil.rmtree(site, ignore_errors=True)
        which = ["--python-version", PYTHONS[suite], "--only-binary=:all:", "--constraint", str(constraints)]
        _run([*pip, "install", "--quiet", "--target", str(site), *which, *TEST_PACKAGES], CACHE)
        (site / "complete").touch()
    return site


def _real_packages(package: str, options: list[str]) -> list[str]:
    """What a package that only depends on the newest kernel stands for: the image, and what this needs itself."""
    found: list[str] = []
    waiting = [package]
    while waiting:
        shown = _run(["apt-cache", *options, "depends", "--important", waiting.pop(0)], CACHE)
        for line in shown.splitlines():
            kind, _, name = line.strip().lstrip("|").partition(": ")
            is_part = kind == "Depends" and name.startswith(_PARTS) and not name.endswith(_EXTRA)
            if is_part and name not in found:
                found.append(name)
                waiting.append(name)
    if not found:
        raise UnavailableError(f"the mirror has no {package} that depends on a kernel")
    return found


def _unpacked(name: str, folder: Path) -> Kernel:
    """Since 7.2 the image lies beside the modules."""
    release = next((folder / "lib" / "modules").iterdir()).name
    images = (folder / "boot" / f"vmlinuz-{release}", folder / "lib" / "modules" / release / "vmlinuz")
    return Kernel(name, release, folder, next(image for image in images if image.is_file()))


def _apt_options(suite: str) -> list[str]:
    """An apt of its own for one release, so that the host's is not touched; its lists are brought up to date."""
    state = CACHE / "apt" / suite
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    main, security = _mirrors()
    lines = [f"deb [signed-by={KEYRING}] {main} {suite} main"]
    if suite != "sid" and security:
        lines.append(f"deb [signed-by={KEYRING}] {security} {suite}-security main")
    (state / "sources.list").write_text("\n".join(lines) + "\n")
    (state / "status").touch()
    chosen = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "root",
        "APT::Architecture": "amd64",
    }
    options = [word for name, value in chosen.items() for word in ("-o", f"{name}={value}")]
    _run(["apt-get", *options, "-qq", "update"], CACHE)
    return options


def _mirrors() -> tuple[str, str | None]:
    """Where this system gets Debian from: the archive and its security updates."""
    shown = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"], CACHE)
    found = dict.fromkeys(line.split()[0].rstrip("/") for line in shown.splitlines() if "debian" in line)
    security = next((uri for uri in found if "security" in uri), None)
    archive = next((uri for uri in found if "security" not in uri), None)
    if archive is None:
        raise UnavailableError("apt knows no Debian mirror; these tests need one")
    return archive, security


def _run(command: list[str], folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise UnavailableError(f"{' '.join(command[:1] + command[-2:])}: {done.stderr.strip()[-400:]}")
    return done.stdout
