"""The probe exec: every program that is started, with what it was started with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.kernel.watch import Watch

from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.wire import ARGUMENT_BYTES_MAX

pytestmark = pytest.mark.bpf
ECHO = Path("/bin/echo").resolve()


def executed(watch: Watch, path: Path = ECHO) -> list[ProcessExecuted]:
    """The reported starts of a program, by this process."""
    return [event for event in watch.of(ProcessExecuted) if event.path == str(path) and event.parent_pid == os.getpid()]


def test_each_start_is_reported(watch: Watch) -> None:
    """101 starts are 101 events."""
    for _ in range(101):
        subprocess.run([ECHO], check=True, stdout=subprocess.DEVNULL)

    assert len(executed(watch)) == 101
    assert watch.lost() == 0


def test_says_what_was_started(watch: Watch) -> None:
    """Executable, identity, parent and arguments are those of the start."""
    arguments = ["one", "two words", "", "new\nline", "\udcff", "é"]
    subprocess.run([ECHO, *arguments], check=True, stdout=subprocess.DEVNULL)

    [event] = executed(watch)
    facts = ECHO.stat()
    assert (event.device, event.inode, event.ctime_ns) == (facts.st_dev, facts.st_ino, facts.st_ctime_ns)
    assert event.arguments == (str(ECHO), *arguments)
    assert (event.path_cut, event.arguments_cut) == (0, 0)


def test_long_arguments_are_cut(watch: Watch) -> None:
    """Beyond 4 KiB of arguments the beginning is kept, and it is said."""
    subprocess.run([ECHO, *["x" * 100] * 1000], check=True, stdout=subprocess.DEVNULL)

    [event] = executed(watch)
    assert event.arguments_cut == 1
    assert sum(len(word) + 1 for word in event.arguments) >= ARGUMENT_BYTES_MAX
    assert set(event.arguments[1:-1]) == {"x" * 100}


def test_a_script_is_its_interpreter(watch: Watch, tmp_path: Path) -> None:
    """What runs is the interpreter; the script stands in the arguments."""
    script = tmp_path / "script"
    script.write_text(f"#!{ECHO} -n\n")
    script.chmod(0o700)

    subprocess.run([script, "word"], check=True, stdout=subprocess.DEVNULL)

    [event] = executed(watch)
    assert event.arguments == (str(ECHO), "-n", str(script), "word")


def test_secrets_never_get_past_the_decoder(watch: Watch) -> None:
    """A token on a command line is gone before anything sees it."""
    subprocess.run([ECHO, "--api-key", "s3cr3t-value"], check=True, stdout=subprocess.DEVNULL)

    [event] = executed(watch)
    assert event.arguments == (str(ECHO), "--api-key", "[redacted]")


def test_arguments_are_those_of_the_start(watch: Watch) -> None:
    """A program that rewrites its command line is reported as it was started."""
    code = "import ctypes; ctypes.CDLL(None).prctl(15, b'innocent')"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)

    found = [event for event in watch.of(ProcessExecuted) if event.parent_pid == os.getpid()]
    assert any(code in event.arguments for event in found)
