"""`modelwarden doctor`: one row for each prerequisite and probe."""

import json
import subprocess
from collections.abc import Callable

import pytest
from tests.rights import AS_NOBODY
from tests.running.daemon import COMMAND, Daemon

MakeDaemon = Callable[..., Daemon]


@pytest.mark.bpf
def test_doctor_attaches_beside_the_daemon(make_daemon: MakeDaemon) -> None:
    """Each probe has a row with its hook; the running daemon is not disturbed."""
    daemon = make_daemon().start()
    done = subprocess.run([*COMMAND, "doctor", "--json"], check=False, capture_output=True, text=True)

    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {name: rows[name]["hook"] for name in ("exec", "exit", "fork")} == dict.fromkeys(
        ("exec", "exit", "fork"), "raw_tracepoint"
    )
    assert {(rows[name]["status"], rows[name]["detail"]) for name in ("exec", "exit", "fork")} == {("ok", "proven")}
    assert rows["file_open"]["hook"] in {"tracepoint", "raw_tracepoint"}
    assert {rows[name]["status"] for name in ("root", "btf", "bcc", "libbpf", "libseccomp")} == {"ok"}
    assert daemon.get("/readyz") == "ok\n"


@pytest.mark.bpf
@pytest.mark.parametrize(
    ("hidden", "row", "next_step"),
    [
        ("mount --bind /dev/null /sys/kernel/btf/vmlinux", "probes", "dmesg"),
        ("mount -t tmpfs none /usr/lib/python3/dist-packages/bcc", "bcc", "python3-bpfcc"),
    ],
    ids=["BTF that cannot be read", "no bcc"],
)
def test_what_is_missing_is_named_with_the_next_step(hidden: str, row: str, next_step: str) -> None:
    """The row says missing, and the command that it cannot run."""
    done = subprocess.run(
        ["/usr/bin/unshare", "-m", "/bin/sh", "-c", f"{hidden} && exec {' '.join(COMMAND)} doctor --json"],
        check=False,
        capture_output=True,
        text=True,
    )

    rows = {one["name"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 1
    assert rows[row]["status"] == "missing"
    assert next_step in rows[row]["next_step"]


def test_without_rights_it_says_what_it_cannot_try() -> None:
    """Anybody may ask; what needs root is said to need it."""
    done = subprocess.run([*AS_NOBODY, *COMMAND, "doctor"], check=False, capture_output=True, text=True, cwd="/")

    assert done.returncode == 1
    assert done.stderr == ""
    assert "sudo" in done.stdout
