"""`modelwarden run` when it cannot begin: one line that names the thing and the next step, and exit 2."""

import socket
import sqlite3
import subprocess
from collections.abc import Callable

import pytest
from tests.rights import AS_NOBODY
from tests.running.daemon import COMMAND, Daemon

from modelwarden.cli import main

pytestmark = pytest.mark.bpf

MakeDaemon = Callable[..., Daemon]


def refused(daemon: Daemon, *prefix: str) -> str:
    """What `run` says when it does not start: one line, exit 2."""
    done = subprocess.run(
        [*prefix, *COMMAND, "run", "--state-dir", daemon.state, "--config", daemon.config],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    return str(lines[0])


def test_a_second_daemon_on_the_same_state_is_refused(make_daemon: MakeDaemon) -> None:
    """It names the one that has the state."""
    daemon = make_daemon().start()
    assert daemon.process is not None

    assert str(daemon.process.pid) in refused(daemon)


def test_a_port_in_use_is_named(make_daemon: MakeDaemon) -> None:
    """The setting and the next step stand in the line."""
    daemon = make_daemon()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        daemon.config.write_text(f'[http]\nlisten = "127.0.0.1:{taken.getsockname()[1]}"\n')

        assert "listen" in refused(daemon)


def test_a_state_of_a_newer_version_is_left_alone(make_daemon: MakeDaemon) -> None:
    """What a newer version wrote is neither read nor touched."""
    daemon = make_daemon()
    daemon.state.mkdir(mode=0o700)
    database = sqlite3.connect(daemon.state / "state.db")
    database.execute("PRAGMA user_version = 99")
    database.close()

    assert "newer" in refused(daemon)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[http]\nlistn = "127.0.0.1:1"\n', "did you mean listen?"),
        ("[http\n", "line 1"),
        ('[http]\nlisten = "nowhere"\n', "listen"),
        ("[files]\nlarge_bytes = -1\n", "large_bytes"),
    ],
)
def test_a_wrong_configuration_is_one_line(make_daemon: MakeDaemon, text: str, words: str) -> None:
    """It names the file, the key and what is wrong."""
    daemon = make_daemon()
    daemon.config.write_text(text)

    said = refused(daemon)
    assert str(daemon.config) in said
    assert words in said


def test_without_root_it_says_so(make_daemon: MakeDaemon) -> None:
    """Somebody without rights is told to use sudo."""
    daemon = make_daemon()

    assert "sudo" in refused(daemon, *AS_NOBODY)


def test_redaction_is_about_a_journal(capsys: pytest.CaptureFixture[str]) -> None:
    """Without one there is nothing to leave out."""
    assert main(["run", "--redact"]) == 2
    assert "--record FILE" in capsys.readouterr().err
