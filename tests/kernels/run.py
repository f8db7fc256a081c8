"""Runs the kernel tests under Debian's stock kernels; `make test-kernels ARGS="--kernels 6.1 --userlands trixie"`.

Prints tables as Markdown, and each test that failed; ends with 1 when one did.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guest import ROOT, GuestError, boot, make_image, pack
from packages import CACHE, KERNELS, PYTHONS, UnavailableError, kernel, root_file_system, site_packages
from report import Report
from variants import VARIANTS

PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "/bin/busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "mke2fs": "e2fsprogs",
    "debootstrap": "debootstrap",
}
TIMEOUT_S = 3000.0


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description="kernel tests under Debian's stock kernels")
    parser.add_argument("--kernels", nargs="+", choices=KERNELS, default=list(KERNELS))
    parser.add_argument("--userlands", nargs="+", choices=PYTHONS, default=["bookworm"])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["plain"])
    parser.add_argument("--programs-only", action="store_true", help="load each program, run no tests")
    parser.add_argument("--costs", action="store_true", help="measure what each hook costs, too")
    parser.add_argument("--saved", action="store_true", help="start nothing: show what the last runs told")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("tests", nargs="*", help="arguments for pytest, behind --")
    chosen = parser.parse_args()
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing and not chosen.saved:
        sys.stderr.write(f"missing: apt-get install --no-install-recommends {' '.join(missing)}\n")
        return 2
    arguments = [*chosen.tests]
    arguments += [f"--{name}" for name in ("programs-only", "costs") if getattr(chosen, name.replace("-", "_"))]
    report = Report()
    for name in chosen.kernels:
        for suite in chosen.userlands:
            for variant in chosen.variants:
                try:
                    told = run_one(name, suite, variant, arguments, only_saved=chosen.saved)
                except (GuestError, UnavailableError) as error:
                    report.problems.append(f"{name} × {suite} × {variant}: {error}")
                else:
                    if isinstance(told, str):
                        report.remarks.append(told)
                    else:
                        report.add(suite, variant, told, all_tests=not chosen.tests)
    if chosen.markdown:
        chosen.markdown.write_text(report.tables())
    else:
        sys.stdout.write(report.tables())
    sys.stdout.write("".join(f"\n{problem}\n" for problem in report.problems))
    return 1 if report.problems else 0


def run_one(name: str, suite: str, variant: str, arguments: Sequence[str], *, only_saved: bool) -> dict[str, Any] | str:
    """What a guest told, or why there is no such guest."""
    start = time.monotonic()
    chosen, made = kernel(name), VARIANTS[variant]
    if not made.fits(chosen.release):
        return f"{chosen.release} cannot be made {variant}: Linux can since {'.'.join(map(str, made.since))}"
    work = CACHE / "runs" / f"{chosen.release}-{suite}-{variant}"
    saved = work / "told.json"
    if only_saved:
        if not saved.is_file():
            raise GuestError("there is no result of an earlier run")
    else:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        image = make_image(root_file_system(suite), CACHE / "images" / f"{suite}.ext4")
        site = site_packages(suite, ROOT / "constraints.txt", [sys.executable, "-m", "pip"])
        payload = pack(site, work / "payload", with_actor="--costs" in arguments)
        told = boot(chosen, image, payload, work, TIMEOUT_S, made.append, [variant, *arguments])
        saved.write_text(json.dumps(told))
        parts = ", ".join(
            f"{part} {told[f'{part}_s']} s" for part in ("hooks", "tests", "costs") if f"{part}_s" in told
        )
        sys.stderr.write(f"{chosen.release} × {suite} × {variant}: {time.monotonic() - start:.0f} s ({parts})\n")
    found: dict[str, Any] = json.loads(saved.read_text())
    return found


if __name__ == "__main__":
    sys.exit(main())
