"""Runs the kernel tests under Debian's stock kernels; `make test-kernels ARGS="--kernels 6.1 --userlands trixie"`.

Prints a table as Markdown, and each test that failed; ends with 1 when one did.
"""

import argparse
import shutil
import sys
import time
from collections import Counter
from typing import Any

from guest import ROOT, GuestError, boot, make_image, pack
from packages import CACHE, KERNELS, PYTHONS, UnavailableError, kernel, root_file_system, site_packages

PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "/bin/busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "mke2fs": "e2fsprogs",
    "debootstrap": "debootstrap",
}
TIMEOUT_S = 1500.0
HEADINGS = ("kernel", "userland", "probe", "hook", "verified instructions", "tests")


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description="kernel tests under Debian's stock kernels")
    parser.add_argument("--kernels", nargs="+", choices=KERNELS, default=list(KERNELS))
    parser.add_argument("--userlands", nargs="+", choices=PYTHONS, default=["bookworm"])
    parser.add_argument("--programs-only", action="store_true", help="load each program, run no tests")
    parser.add_argument("tests", nargs="*", help="arguments for pytest, behind --")
    chosen = parser.parse_args()
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        sys.stderr.write(f"missing: apt-get install --no-install-recommends {' '.join(missing)}\n")
        return 2
    arguments = [*chosen.tests, *(["--programs-only"] if chosen.programs_only else [])]
    rows: list[tuple[str, ...]] = []
    problems: list[str] = []
    for name in chosen.kernels:
        for suite in chosen.userlands:
            run_one(name, suite, arguments, rows, problems)
    sys.stdout.write("\n".join(table(rows)) + "\n" + "".join(f"\n{problem}\n" for problem in problems))
    return 1 if problems else 0


def run_one(name: str, suite: str, arguments: list[str], rows: list[tuple[str, ...]], problems: list[str]) -> None:
    """One guest; what came of it goes into the table, what went wrong into the problems."""
    start = time.monotonic()
    try:
        image = make_image(root_file_system(suite), CACHE / "images" / f"{suite}.ext4")
        site = site_packages(suite, ROOT / "constraints.txt", [sys.executable, "-m", "pip"])
        chosen = kernel(name)
        work = CACHE / "runs" / f"{chosen.release}-{suite}"
        work.mkdir(parents=True, exist_ok=True)
        result = boot(chosen, image, pack(site, work / "payload"), work, TIMEOUT_S, *arguments)
    except (GuestError, UnavailableError) as error:
        problems.append(f"{name} × {suite}: {error}")
        return
    versions = result["versions"]
    bcc, libbpf = versions["python3-bpfcc"].split("+")[0], versions["libbpf1"].split("-")[0].split(":")[-1]
    userland = f"{suite}: bcc {bcc}, libbpf {libbpf}"
    for program in sorted(result["programs"], key=lambda program: str(program["probe"])):
        told = ("taken" if program["taken"] else "refused", f"{program['verified']:,}" if program["verified"] else "–")
        shown = outcomes(result.get("tests", []), program)
        rows.append((versions["kernel"], userland, program["probe"], f"{program['hook']}: {told[0]}", told[1], shown))
        if not program["taken"]:
            problems.append(f"{name} × {suite}, {program['probe']}: {program['reason']}")
    tests = result.get("tests", [])
    totals = Counter(test["outcome"] for test in tests)
    rows.append((versions["kernel"], userland, "all", "", "", counted(totals)))
    problems += [
        f"{name} × {suite}, {test['module']}, {test['name']}:\n{test['reason']}"
        for test in tests
        if test["outcome"] in {"failure", "error"}
    ]
    skipped = Counter(test["reason"].splitlines()[0] for test in tests if test["outcome"] == "skipped")
    problems += [f"{name} × {suite}: {count} tests skipped: {reason}" for reason, count in skipped.items()]
    sys.stderr.write(f"{versions['kernel']} × {suite}: {time.monotonic() - start:.0f} s\n")


def outcomes(tests: list[dict[str, str]], program: dict[str, Any]) -> str:
    """How many of a probe's tests ended how, such as `23 passed, 1 failure`; for a hook those that ran with it."""
    hook = f"[{program['hook']}"
    of_hook = [test for test in tests if program["probe"] != "file_open" or hook in test["name"]]
    found = Counter(test["outcome"] for test in of_hook if test["module"] == program["probe"])
    return counted(found)


def counted(found: Counter[str]) -> str:
    """Such as `23 passed, 1 failure`."""
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.items())) or "–"


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows as Markdown."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    sys.exit(main())
