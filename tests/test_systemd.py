"""The unit file: valid, hardened, every capability with its reason."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parent.parent / "systemd"
UNIT = SYSTEMD / "modelwarden.service"
EXPOSURE_MAX = 4.0
"""Of 10; what systemd itself calls OK ends below 5."""


@pytest.fixture
def analyze() -> str:
    """The path of systemd-analyze; skips without it, except in CI, where its absence is an error."""
    found = shutil.which("systemd-analyze")
    if found is None:
        reason = "systemd-analyze is missing: install the package systemd"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def test_unit_is_valid(analyze: str, tmp_path: Path) -> None:
    """Given a program where the package would put it, then systemd has nothing to remark."""
    program = tmp_path / "modelwarden"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/lib/modelwarden/bin/modelwarden", str(program)))
    ended = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_unit_is_hardened(analyze: str) -> None:
    """What the unit leaves open stays below the limit."""
    command = [analyze, "security", "--offline=true", "--no-pager", str(UNIT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([\d.]+)", ended.stdout)
    assert found is not None, ended.stderr
    assert float(found[1]) <= EXPOSURE_MAX, ended.stdout


def test_capabilities_have_reasons() -> None:
    """Beside each capability stands why it is needed."""
    lines = UNIT.read_text().splitlines()
    granting = [number for number, line in enumerate(lines) if line.startswith("CapabilityBoundingSet=CAP_")]
    assert granting
    assert [lines[number] for number in granting if not lines[number - 1].startswith("# ")] == []


def test_capabilities_start_from_none() -> None:
    """The bounding set is emptied before anything is put into it; the most powerful one is never in it."""
    lines = [line for line in UNIT.read_text().splitlines() if line.startswith("CapabilityBoundingSet=")]
    assert lines[0] == "CapabilityBoundingSet="
    assert "CAP_SYS_ADMIN" not in "".join(lines)


def test_drop_in_gives_one_capability() -> None:
    """The sample for paranoid kernels adds CAP_SYS_ADMIN, nothing else, and only when somebody copies it."""
    sample = SYSTEMD / "modelwarden.service.d" / "paranoid-kernel.conf.sample"
    settings = [line for line in sample.read_text().splitlines() if line and not line.startswith("#")]
    assert settings == ["[Service]", "CapabilityBoundingSet=CAP_SYS_ADMIN"]


def test_state_is_private() -> None:
    """The census names people and their files: nobody but root reads it, by either way of starting."""
    assert "StateDirectoryMode=0700" in UNIT.read_text().splitlines()
    assert re.search(
        r"^d +/var/lib/modelwarden +0700 +root +root ", (SYSTEMD / "modelwarden.tmpfiles").read_text(), re.M
    )


CALLS = (
    *("bpf", "perf_event_open", "seccomp", "open_by_handle_at", "openat2", "inotify_add_watch"),
    *("sched_setscheduler", "ioprio_set", "preadv2", "fadvise64", "setresuid", "setgroups", "prctl"),
)
"""Calls of ours that few services make, in the daemon and its children."""


def test_unit_allows_the_calls_that_we_make(analyze: str) -> None:
    """Given the unit's filter, written out, then what the daemon needs of the kernel is in it."""
    (line,) = [one for one in UNIT.read_text().splitlines() if one.startswith("SystemCallFilter=")]
    waiting, allowed = line.removeprefix("SystemCallFilter=").split(), set[str]()
    while waiting:
        name = waiting.pop()
        if name in allowed:
            continue
        allowed.add(name)
        if name.startswith("@"):
            command = [analyze, "syscall-filter", "--no-pager", name]
            lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
            waiting += [one.strip() for one in lines if one.startswith("    ") and not one.strip().startswith("#")]
    assert [call for call in CALLS if call not in allowed] == []
