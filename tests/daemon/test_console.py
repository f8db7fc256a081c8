"""How the daemon speaks."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from tests.conversation import Conversation
from tests.kit import TINY, executed, is_model, of, opened

from modelwarden.daemon.command import Announce
from modelwarden.daemon.console import configure, short


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        """It says so."""
        return True


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal that the daemon speaks to."""
    stream = Terminal()
    configure(stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def journal() -> Iterator[io.StringIO]:
    """A stream that no person reads."""
    stream = io.StringIO()
    configure(stream)
    yield stream
    structlog.reset_defaults()


def announced(path: str = "/m/a.gguf", **more: Any) -> dict[str, Any]:
    """The fields with which the core announces a model."""
    talk = Conversation()
    talk.tell(executed(), opened(path))
    (said,) = of(Announce, talk.tell(is_model(path, TINY)))
    return {**dict(said.fields), **more}


def test_terminal_gets_a_line_for_people(terminal: Terminal) -> None:
    """A constant message with its fields, nulls left out, after the time."""
    structlog.get_logger().info("probe_on", probe="exec", reason=None, count=0)
    moment, said = terminal.getvalue().split(" ", 1)
    assert len(moment) == len("12:34:56")
    assert said == "probe on  probe=exec  count=0\n"


@pytest.mark.parametrize(("level", "mark"), [("info", ""), ("warning", "! "), ("error", "!! ")])
def test_terminal_shows_how_bad_it_is(terminal: Terminal, level: str, mark: str) -> None:
    """Warnings and errors stand out."""
    getattr(structlog.get_logger(), level)("something_happened")
    assert terminal.getvalue()[9:] == f"{mark}something happened\n"


def test_terminal_shows_a_model_in_one_line(terminal: Terminal) -> None:
    """What, how large, by whom, where."""
    structlog.get_logger().info("model_opened", **announced(user="alice", login_user="bob"))
    assert terminal.getvalue()[9:] == (
        "model opened  tiny (gguf, llama, Q4_0, 1 M parameters, 64 MiB)  by /usr/bin/llama [100]  "
        "user alice (logged in as bob)  /m/a.gguf\n"
    )


def test_terminal_shows_a_model_of_which_little_is_known(terminal: Terminal) -> None:
    """The file's name stands for the model's, and the reason at the end."""
    unknown = dict.fromkeys(("name", "format", "architecture", "parameters", "quantization", "exe", "user"))
    structlog.get_logger().info("model_opened", **announced(**unknown, login_user=None, reason="it is gone", size=5))
    assert terminal.getvalue()[9:] == (
        "model opened  a.gguf (not identified, 5 B)  by ? [100]  user ?  /m/a.gguf  (it is gone)\n"
    )


@pytest.mark.parametrize("parameters", [7, 999, 999_999])
def test_terminal_has_no_gaps(terminal: Terminal, parameters: int) -> None:
    """Small numbers are written as they are."""
    structlog.get_logger().info("model_opened", **announced(parameters=parameters))
    assert "  parameters" not in terminal.getvalue()
    assert "e+" not in terminal.getvalue()


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"source": "/m/a", "model": "tiny"}, "rename /m/a -> /m/b  (model tiny)  by /bin/mv [7]  user alice"),
        ({"repeated": 3}, "rename /m/b  by /bin/mv [7]  user alice  3 times more"),
        ({"exe": None, "user": "root", "login_user": "bob"}, "rename /m/b  by ? [7]  user root (logged in as bob)"),
    ],
)
def test_terminal_shows_a_change_in_one_line(terminal: Terminal, more: dict[str, Any], line: str) -> None:
    """What was done to which file, by whom, how often."""
    fields: dict[str, Any] = {"action": "rename", "path": "/m/b", "source": None, "model": None, "exe": "/bin/mv"}
    fields |= {"pid": 7, "user": "alice", "login_user": None, "workload": None}
    structlog.get_logger().info("file_changed", **fields | more)
    assert terminal.getvalue()[9:] == f"file changed  {line}\n"


HOSTILE = "/m/\x1b[31m\u202e\n12:00:00 all is well\udcff.gguf"


def test_hostile_names_stay_on_their_line(terminal: Terminal) -> None:
    """A name cannot move the cursor, turn the writing round or begin a line of its own."""
    structlog.get_logger().info("model_opened", **announced(HOSTILE, name=HOSTILE, exe=HOSTILE))
    structlog.get_logger().warning("alert", what=HOSTILE)
    said = terminal.getvalue()
    assert said.count("\n") == 2
    assert not {"\x1b", "\u202e", "\udcff"} & set(said)
    assert "\\x1b[31m" in said


def test_journal_gets_json(journal: io.StringIO) -> None:
    """Everywhere else a line is one JSON object that says when, how bad and what."""
    structlog.get_logger().warning("alert", what=HOSTILE, count=3, other=OSError("x"))
    (line,) = journal.getvalue().splitlines()
    line.encode()
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["count"], entry["other"]) == ("alert", "warning", 3, "OSError('x')")
    assert entry["what"] == HOSTILE.replace("\udcff", "\\xff")
    assert entry["timestamp"].endswith("Z")


def test_debugging_is_not_said(journal: io.StringIO) -> None:
    """What is for developers stays unsaid."""
    structlog.get_logger().debug("something")
    assert journal.getvalue() == ""


@pytest.mark.parametrize(
    ("value", "base", "text"),
    [
        (0, 1000, "0 "),
        (999, 1000, "999 "),
        (1000, 1000, "1 K"),
        (7_241_000_000, 1000, "7.24 G"),
        (999_400, 1000, "999 K"),
        (999_999, 1000, "1000 K"),
        (1024, 1024, "1 Ki"),
        (668_000_000, 1024, "637 Mi"),
        (1023 * 1024, 1024, "1023 Ki"),
        (1023 * 1024 - 100, 1024, "1023 Ki"),
        (999 * 1024 + 1000, 1024, "1000 Ki"),
        (5_000_000_000_000_000, 1000, "5000 T"),
    ],
)
def test_short(value: int, base: int, text: str) -> None:
    """Three digits and a prefix, never an exponent."""
    assert short(value, base) == text
