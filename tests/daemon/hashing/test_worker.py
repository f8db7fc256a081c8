"""The hashing child: what it says on the way, and how it makes room for others."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hashing import hash_command, sum_of

from modelwarden.daemon.hashing import worker
from modelwarden.daemon.hashing.order import Order, progress_in, sum_in
from modelwarden.daemon.hashing.sha256 import PlainSum, ResumableSum, load
from modelwarden.daemon.hashing.worker import PIECE_BYTES, Courtesy, serve

SIZE = 5 * PIECE_BYTES + 7


class Talk:
    """A file that is summed up here, and what is said of it."""

    def __init__(self, path: Path) -> None:
        file = hash_command(path).file
        self.path = path
        self.order = Order((file.size, file.mtime_ns, file.ctime_ns))
        self.here, self.there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.here.setblocking(False)

    def sum_up(self, total: PlainSum | ResumableSum) -> bytes:
        """The last word."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return serve(descriptor, self.order, total, self.there, Courtesy())
        finally:
            os.close(descriptor)

    def said(self) -> list[tuple[int, bytes | None]]:
        """Every word before."""
        words = []
        while True:
            try:
                words.append(progress_in(self.here.recv(1024)))
            except BlockingIOError:
                return words


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    """A file of more than one piece."""
    path = tmp_path / "m.gguf"
    path.write_bytes(os.urandom(SIZE))
    found = Talk(path)
    yield found
    found.here.close()
    found.there.close()


def test_says_how_far_it_is(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many bytes it says where the sum stands, and from there another one can go on."""
    monkeypatch.setattr(worker, "REPORT_BYTES", 2 * PIECE_BYTES)
    library = load()
    assert library is not None
    assert sum_in(talk.sum_up(ResumableSum(library))) == sum_of(talk.path)
    said = talk.said()
    assert [offset for offset, _ in said] == [2 * PIECE_BYTES, 4 * PIECE_BYTES]
    talk.order.offset, talk.order.midstate = said[0]
    resumed = ResumableSum(library, *said[0])
    assert sum_in(talk.sum_up(resumed)) == sum_of(talk.path)
    assert [offset for offset, _ in talk.said()] == [4 * PIECE_BYTES]


def test_without_libcrypto_nothing_is_gone_on_from(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With hashlib alone it says how far it is, so that nobody takes it for dead, and the sum is right."""
    monkeypatch.setattr(worker, "REPORT_S", 0.0)
    assert sum_in(talk.sum_up(PlainSum())) == sum_of(talk.path)
    assert {midstate for _, midstate in talk.said()} == {None}


@pytest.mark.parametrize(
    "numbers", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1)], ids=["size", "less", "mtime", "ctime"]
)
def test_another_state_is_said(talk: Talk, numbers: tuple[int, int, int]) -> None:
    """A size or a time that is not the ordered one is a change."""
    state = (talk.order.size, talk.order.mtime_ns, talk.order.ctime_ns)
    talk.order = Order(tuple(one + more for one, more in zip(state, numbers, strict=True)))  # type: ignore[arg-type]
    assert talk.sum_up(PlainSum()) == b"changed"


def test_what_cannot_be_read_has_a_reason(talk: Talk, tmp_path: Path) -> None:
    """An error of the system is a reason, not a death."""
    talk.path = tmp_path
    assert talk.sum_up(PlainSum()) == b"unreadable Is a directory"


def test_stays_away_when_others_want_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a wait for the processor it sleeps nine times as long, a quarter of a second at most; else not at all."""
    waits, slept = iter([5_000_000, 5_000_500, 9_000_500, 9_000_000_000]), list[float]()
    monkeypatch.setattr(Courtesy, "_so_far_ns", lambda _self: next(waits))
    monkeypatch.setattr(time, "sleep", slept.append)
    courtesy = Courtesy()
    for _ in range(3):
        courtesy.give_way()
    assert slept == [pytest.approx(0.036), 0.25]


def test_reads_its_own_wait() -> None:
    """The kernel says how long a process waited for the processor, and it never becomes less."""
    courtesy = Courtesy()
    first = courtesy._so_far_ns()
    assert 0 <= first <= courtesy._so_far_ns()
