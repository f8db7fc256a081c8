"""The program that proves the probes: its folder, its order, its end. No kernel program is needed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelwarden.probes.proof import MESSAGE_BYTES, READY, find, make, private_folder

DEADLINE_S = 20.0
HANG = """
import sys, time
from modelwarden.probes import proof
proof.find = lambda names: ({"hangs": lambda folder: (folder / "left").touch() or time.sleep(60)}, {})
proof.main(int(sys.argv[1]), ["hangs"])
"""
BETWEEN = "import os, subprocess, sys; subprocess.Popen(sys.argv[1:], pass_fds=(int(sys.argv[-1]),)).wait()"


def until(is_true: Callable[[], bool]) -> None:
    """Waits for a state that has to come; fails when it does not."""
    end = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.005)


def told(proofs: dict[str, Callable[[Path], None]], *places: Path) -> dict[str, str]:
    """What is said of each proof."""
    said: dict[str, str] = {}
    make(proofs, places, lambda name, reason: said.update({name: reason}))
    return said


def fail(_folder: Path) -> None:
    """A proof that cannot be made."""
    raise ValueError("no way")


def test_each_fact_is_made_in_one_private_folder(tmp_path: Path) -> None:
    """Given two proofs, then both get the same folder, which only its owner may enter, and which is gone afterwards."""
    seen: list[tuple[Path, int]] = []

    def look(folder: Path) -> None:
        seen.append((folder, folder.stat().st_mode & 0o777))

    assert told({"a": look, "b": look}, tmp_path) == {"a": "", "b": ""}
    assert seen == [(seen[0][0], 0o700)] * 2
    assert seen[0][0].parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_one_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    """Given a proof that raises, then the next one is made, the reason is said, and nothing is left behind."""

    def fill(folder: Path) -> None:
        (folder / "below").mkdir()
        (folder / "below" / "file").touch()
        (folder / "link").symlink_to("/")

    assert told({"fails": fail, "fills": fill}, tmp_path) == {"fills": "", "fails": "no way"}
    assert list(tmp_path.iterdir()) == []


def test_what_fails_at_one_place_is_tried_at_the_next(tmp_path: Path) -> None:
    """Given a full disk, then another place will do; what was made is not made again."""
    places = [tmp_path / "full", tmp_path / "roomy"]
    for place in places:
        place.mkdir()
    made: list[str] = []

    def write(folder: Path) -> None:
        made.append(folder.parent.name)
        if folder.parent.name == "full":
            raise OSError("no space left on device")

    assert told({"writes": write, "does not": lambda _: made.append("once")}, *places) == {"does not": "", "writes": ""}
    assert made == ["full", "once", "roomy"]


def test_without_any_place_it_says_so(tmp_path: Path) -> None:
    """Given no place that takes a folder, then each proof has the reason, and none is tried."""
    assert told({"a": fail}, tmp_path / "missing", Path("/proc")) == {
        "a": f"no folder in {tmp_path}/missing: No such file or directory"
    }
    assert told({"a": fail}) == {"a": "there is no place for its folder"}


@pytest.mark.parametrize(("mode", "taken"), [(0o777, False), (0o770, False), (0o1777, True), (0o755, True)])
def test_no_place_where_others_could_swap_it(tmp_path: Path, mode: int, taken: bool) -> None:
    """A folder in one that others may write to is not ours for long, unless the place is sticky as /tmp is."""
    tmp_path.chmod(mode)
    if taken:
        assert private_folder(tmp_path).parent == tmp_path
    else:
        with pytest.raises(PermissionError, match="swap"):
            private_folder(tmp_path)
    tmp_path.chmod(0o700)


def test_finds_the_proofs_by_name() -> None:
    """Given names, then those with a proof have it, the others a reason."""
    found, unknown = find(["file_open", "common", "gone"])

    assert list(found) == ["file_open"]
    assert unknown.keys() == {"common", "gone"}
    assert "cannot be imported" in unknown["gone"]


def hanging(place: Path, *between: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The program in the middle of a proof that never ends, and our end of its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        number = theirs.fileno()
        child = subprocess.Popen([*between, sys.executable, "-c", HANG, str(number)], pass_fds=(number,))
    ours.settimeout(DEADLINE_S)
    assert ours.recv(MESSAGE_BYTES) == READY
    ours.send(os.fsencode(place))
    until(lambda: any(folder.joinpath("left").exists() for folder in place.iterdir()))
    return child, ours


def test_ends_without_leaving_anything_when_it_is_told_to(tmp_path: Path) -> None:
    """Given a proof that hangs, then SIGTERM ends it, and its folder is gone."""
    child, ours = hanging(tmp_path)
    with ours:
        child.terminate()
        assert child.wait(DEADLINE_S) == 1
    assert list(tmp_path.iterdir()) == []


def test_ends_with_the_daemon(tmp_path: Path) -> None:
    """Given a parent that is killed while a proof hangs, then the program ends too, and its folder is gone."""
    parent, ours = hanging(tmp_path, sys.executable, "-c", BETWEEN)
    with ours:
        parent.send_signal(signal.SIGKILL)
        parent.wait(DEADLINE_S)
        assert ours.recv(MESSAGE_BYTES) == b""
    until(lambda: list(tmp_path.iterdir()) == [])


def test_does_nothing_for_a_daemon_that_is_gone(tmp_path: Path) -> None:
    """Given a socket that closes before it may begin, then it ends without a word."""
    code = "import sys; from modelwarden.probes.proof import main; main(int(sys.argv[1]), ['fork'])"
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        child = subprocess.Popen([sys.executable, "-c", code, str(theirs.fileno())], pass_fds=(theirs.fileno(),))
    assert ours.recv(MESSAGE_BYTES) == READY
    ours.close()

    assert child.wait(DEADLINE_S) == 0
