"""The command line as a whole."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelwarden import __version__
from modelwarden.cli import command_names, load_command, main
from modelwarden.cli.quantities import ago, amount, size

COMMANDS = ["alerts", "census", "config", "policy", "rules"]


def run(*arguments: str, stdout: Any = subprocess.PIPE, before: str = "") -> "subprocess.CompletedProcess[str]":
    """The command as a person starts it: a process of its own."""
    command = [
        sys.executable,
        "-X",
        "dev",
        "-c",
        f"{before}\nimport sys\nfrom modelwarden.cli import main\nsys.exit(main())",
    ]
    return subprocess.run([*command, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


def test_commands_are_found() -> None:
    """A file with a command is a command; what commands share is none."""
    found = [name for name in command_names() if load_command(name) is not None]
    assert set(COMMANDS) <= set(found)
    assert found == sorted(found)
    assert not {"command", "table", "terminal", "state_dir"} & set(found)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command stands there with its line."""
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name}" in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` works everywhere."""
    assert main([name, "--help"]) == 0
    assert f"usage: modelwarden {name}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is the package's."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"modelwarden {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["censu"], "censu is unknown; did you mean census?"),
        (["table"], "table is unknown; "),
        (["x\x1b[2J"], r"x\x1b[2J is unknown; `modelwarden --help` lists the commands"),
        (["--jsn"], "--jsn is no command; "),
        (["census", "--jso"], "unrecognized arguments: --jso; `modelwarden census --help` shows what is possible"),
        (["census", "--since", "soon"], "argument --since: 'soon' is no time; write 2h, 7d, 2026-01-31 or "),
    ],
)
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Exit 2, one line on standard error, nothing on standard output."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"modelwarden: {message}")
    assert captured.err.count("\n") == 1


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Who types nothing more learns what there is, on standard error."""
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: modelwarden COMMAND" in captured.err


def test_closed_pipe_is_no_error() -> None:
    """`| head` ends the command without a word, as SIGPIPE would."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = run("--help", stdout=writing)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("arguments", [["--help"], ["census", "--help"], ["config", "sample"]])
def test_full_disk_behind_the_output_is_one_line(arguments: list[str]) -> None:
    """Output that cannot be written is said, not traced."""
    with Path("/dev/full").open("w") as full:
        ended = run(*arguments, stdout=full)
    assert ended.returncode == 2
    assert ended.stderr == "modelwarden: the output cannot be written: No space left on device\n"


def test_missing_streams_are_no_error() -> None:
    """A service manager may close all streams."""
    ended = run("config", "sample", before="import sys; sys.stdout = sys.stderr = None")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_quick_commands_import_little(seen: Any, a_workload: Any) -> None:
    """The census must answer at once, so it loads nothing that it does not use."""
    seen.census(a_workload())
    code = (
        "import sys\nfrom modelwarden.cli import main\nmain(sys.argv[1:])\n"
        "print(*sorted({'asyncio', 'msgspec', 'structlog', 'prometheus_client', 'bcc'} & set(sys.modules)), "
        "file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "census", "--state-dir", str(seen.directory)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "llama-server" in ended.stdout
    assert ended.stderr == "\n"


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (1000, "0.977 KiB"), (33_554_432, "32 MiB"), (4_920_000_000, "4.58 GiB")],
)
def test_sizes_are_short(size_bytes: int | None, shown: str) -> None:
    """Three digits and a unit say enough."""
    assert size(size_bytes) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (999_600, "1 M"),
        (22_713_728, "22.7 M"),
        (8_030_000_000, "8.03 B"),
        (10**400, "> 999 T"),
    ],
)
def test_amounts_are_short(number: int, shown: str) -> None:
    """Weights are counted as the field does, and whatever a file claims."""
    assert amount(number) == shown


def test_times_are_relative() -> None:
    """A person wants to know how long ago; what is no time is shown as it is."""
    assert ago("2020-01-01T00:00:00Z").endswith(" d ago")
    assert ago(None) == "-"
    assert ago("whenever") == "whenever"
    assert ago("2020-01-01T00:00:00") == "2020-01-01T00:00:00"
