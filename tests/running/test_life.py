"""The daemon from its start to its end: what it finds, remembers, refuses, and how it says so."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import models
from tests.running.daemon import COMMAND, Daemon

pytestmark = pytest.mark.bpf

MakeDaemon = Callable[..., Daemon]
POLICY = '[models]\napproved = [{ name = "%s" }]\n'


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    """A small GGUF that the real library wrote."""
    return models.write_gguf(tmp_path / "tiny.gguf", name="tiny-random", file_type=1)


def cat(path: Path) -> None:
    """A reader that is gone within milliseconds."""
    subprocess.run(["/bin/cat", path], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("way", ["open", "mapped"])
def test_finds_what_was_there_before(make_daemon: MakeDaemon, gguf: Path, way: str) -> None:
    """A model that is held open, or only mapped, when the daemon starts is in the census with its reader."""
    keep = "m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ); f.close()" if way == "mapped" else "0"
    code = f"import mmap, sys; f = open(sys.argv[1], 'rb'); {keep}; print(flush=True); sys.stdin.read()"
    reader = subprocess.Popen(
        [sys.executable, "-c", code, gguf], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    reader.stdout.readline()

    daemon = make_daemon().start()
    entry = daemon.opened(gguf)
    daemon.model(gguf)
    [workload] = [one for one in daemon.run("census")["workloads"] if one["id"] == entry["workload"]]
    reader.communicate("")

    assert (entry["pid"], entry["name"]) == (reader.pid, "tiny-random")
    assert workload["running"] is True
    assert [process["pid"] for process in workload["processes"]] == [reader.pid]


def test_remembers_over_a_restart(make_daemon: MakeDaemon, gguf: Path, tmp_path: Path) -> None:
    """Counts go on, beginnings stay, and what no longer runs is not said to run."""
    first = make_daemon().start()
    reader = subprocess.Popen(["/bin/sh", "-c", f"exec < {gguf}; read line; read line <&2"], stderr=subprocess.PIPE)
    cat(gguf)
    cat(gguf)
    before = first.model(gguf, lambda model: model["opens"] >= 3)
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    reader.kill()
    reader.communicate()

    second = make_daemon().start()
    cat(gguf)
    after = second.model(gguf, lambda model: model["opens"] >= 4)

    assert after["opens"] == before["opens"] + 1
    assert after["first_seen"] == before["first_seen"]
    time.sleep(1.5)
    assert {one["running"] for one in second.run("census")["workloads"]} == {False}
    assert second.stop() == 0


def test_commands_read_while_it_is_down(make_daemon: MakeDaemon, gguf: Path) -> None:
    """What was seen is there after the end, also what was seen in the last moment."""
    daemon = make_daemon().start()
    cat(gguf)
    daemon.opened(gguf)
    assert daemon.stop() == 0

    assert [model["name"] for model in daemon.run("census")["models"]] == ["tiny-random"]


def test_an_unapproved_model_is_one_alert_that_grows(make_daemon: MakeDaemon, gguf: Path) -> None:
    """Given a policy, an unapproved model raises one alert; approving it and reloading ends that."""
    daemon = make_daemon(policy=POLICY % "something-else").start()
    cat(gguf)
    raised = daemon.wait(lambda entry: entry["event"] == "alert" and str(gguf) in entry["what"])
    for _ in range(4):
        cat(gguf)
    daemon.model(gguf, lambda model: model["opens"] >= 5)
    daemon.policy.write_text(POLICY % "tiny-*")
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda entry: entry["event"] == "policy_loaded")
    cat(gguf)
    daemon.model(gguf, lambda model: model["opens"] >= 6)
    assert daemon.stop() == 0

    [alert] = [one for one in daemon.run("alerts") if one["model"]["path"] == str(gguf)]
    assert raised["rule"] == alert["rule"] == "unapproved_model"
    assert alert["id"] == raised["id"]
    assert alert["count"] == 5
    assert alert["model"]["name"] == "tiny-random"
    assert alert["process"]["exe"] == str(Path("/bin/cat").resolve())
    assert any("pytest" in str(ancestor["cmdline"]) for ancestor in alert["process"]["lineage"])
    page = subprocess.run(
        [*COMMAND, "alerts", "show", alert["id"], "--state-dir", daemon.state],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "tiny-random" in page
    assert alert["what_to_do"].split(".")[0] in page.replace("\n", " ")


def test_a_wrong_policy_leaves_the_old_one_in_force(make_daemon: MakeDaemon, gguf: Path) -> None:
    """A mistake in the file is said with a suggestion, and nothing becomes less strict."""
    daemon = make_daemon(policy=POLICY % "something-else").start()
    daemon.policy.write_text('[models]\naproved = [{ name = "*" }]\n')
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    said = daemon.wait(lambda entry: entry["event"] == "policy_refused")
    cat(gguf)

    assert "did you mean approved?" in said["reason"]
    raised = daemon.wait(lambda entry: entry["event"] == "alert" and str(gguf) in entry["what"])
    assert raised["rule"] == "unapproved_model"


def test_a_full_disk_costs_nothing_but_time(make_daemon: MakeDaemon, gguf: Path, tmp_path: Path) -> None:
    """The daemon goes on, says so, and writes everything when there is room again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], check=True)
    try:
        daemon = make_daemon()
        daemon.state = disk / "state"
        daemon.start()
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        cat(gguf)
        daemon.wait(lambda entry: entry["event"] == "state_not_written")
        assert daemon.get("/healthz") == "ok\n"
        filler.unlink()
        daemon.wait(lambda entry: entry["event"] == "state_written_again")

        assert daemon.model(gguf)["name"] == "tiny-random"
        assert daemon.stop() == 0
    finally:
        subprocess.run(["/bin/umount", "-l", disk], check=True)


def test_speaks_to_a_service_manager(make_daemon: MakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """READY when nothing is missed any more, WATCHDOG while it thinks, STOPPING at the end."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        daemon = make_daemon().start()
        said = [manager.recv(4096).decode() for _ in range(3)]
        daemon.stop()
        while said[-1] != "STOPPING=1":
            said.append(manager.recv(4096).decode())

    assert said.index("READY=1") < 2
    assert "WATCHDOG=1" in said[:3]


def test_the_terminal_gets_readable_lines(make_daemon: MakeDaemon, gguf: Path) -> None:
    """On a terminal a model that is opened is one line for people, and a hostile name in it harmless."""
    hostile = gguf.rename(gguf.parent / "\x1b]0;owned\x07.gguf")
    daemon = make_daemon()
    main, other = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "run", "--state-dir", daemon.state, "--config", daemon.config], stdout=other, stderr=other
    )
    os.close(other)
    shown = b""
    while b"ready" not in shown:
        shown += os.read(main, 4096)
    cat(hostile)
    while b"owned" not in shown or not shown.endswith(b"\n"):
        shown += os.read(main, 4096)
    process.terminate()
    process.wait(20)
    os.close(main)

    [line] = [line for line in shown.decode().splitlines() if "owned" in line]
    assert "tiny-random (gguf, llama, F16" in line
    assert "by /usr/bin/cat" in line
    assert "\\x1b" in line
    assert b"\x1b" not in shown
