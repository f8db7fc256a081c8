"""The worker: an answer for every descriptor, whatever is in the file."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from struct import pack

import msgspec
import pytest
from tests.models import gguf_bytes, gguf_key, safetensors_raw, write_gguf

from modelwarden.daemon.asked_folder import Line
from modelwarden.daemon.identify.sniffer import Identity, Window
from modelwarden.daemon.readers import Reader
from modelwarden.daemon.worker import Reader as Work
from modelwarden.daemon.worker import Task

MODEL = Identity("fake")


class Fake:
    """A format that does what it is told."""

    name = "fake"

    def __init__(self, action: Callable[[], Identity | None]) -> None:
        self.action = action

    def recognises(self, head: bytes, size: int) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def identify(self, window: Window) -> Identity | None:  # noqa: ARG002
        """As told."""
        return self.action()


def answer_by(action: Callable[[], Identity | None], path: Path) -> dict[str, object]:
    """The answer for a file when its format does this."""
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    found = os.fstat(descriptor)
    task = Task(descriptor, found.st_size, found.st_mtime_ns, str(path))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    with ours:
        answer: dict[str, object] = json.loads(Work([Fake(action)], ()).serve(task, Line(ours)))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    return answer


def test_answers_with_the_identity(tmp_path: Path) -> None:
    """A model's identity travels field by field."""
    answer = answer_by(lambda: MODEL, tmp_path / "m")
    assert answer["outcome"] == "model"
    assert msgspec.convert(answer["identity"], Identity) == MODEL


def test_answers_for_others(tmp_path: Path) -> None:
    """What no format knows is no model."""
    assert answer_by(lambda: None, tmp_path / "m") == {"outcome": "not_a_model"}


def test_a_bug_has_a_name(tmp_path: Path) -> None:
    """A parser that raises costs one answer, which names the place and nothing of the file."""

    def fail() -> None:
        raise KeyError("content of the file")

    answer = answer_by(fail, tmp_path / "m")
    assert answer["outcome"] == "unreadable"
    assert "KeyError in " in str(answer["reason"])
    assert "content of the file" not in str(answer["reason"])


def test_an_io_error_is_a_reason(tmp_path: Path) -> None:
    """A disk that fails is named."""

    def fail() -> None:
        raise OSError(5, "Input/output error")

    assert answer_by(fail, tmp_path / "m") == {"outcome": "unreadable", "reason": "Input/output error"}


def test_no_memory_is_a_reason(tmp_path: Path) -> None:
    """A file that would need more memory than there is costs one answer."""

    def fail() -> None:
        raise MemoryError

    assert "memory" in str(answer_by(fail, tmp_path / "m")["reason"])


def test_sees_a_write_meanwhile(tmp_path: Path) -> None:
    """A file that grew while it was read has changed."""

    def grow() -> Identity:
        (tmp_path / "m").write_bytes(b"more")
        return MODEL

    assert answer_by(grow, tmp_path / "m")["outcome"] == "changed"


async def ask(worker: Reader, channel: socket.socket, descriptors: list[int]) -> list[dict[str, object]]:
    """The answers of a worker that has to start first."""
    assert await worker.receive(10) == b"ready"
    answers = []
    for descriptor in descriptors:
        found = os.fstat(descriptor)
        socket.send_fds(channel, [b"%d %d" % (found.st_size, found.st_mtime_ns)], [descriptor])
        answers.append(json.loads(await worker.receive(2)))
    return answers


def locked_answers(paths: list[Path]) -> tuple[list[dict[str, object]], int]:
    """The answers of a real, locked worker, and its peak resident memory in KiB."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    descriptors = [os.open(path, os.O_RDONLY) for path in paths]
    with ours:
        with theirs:
            worker = Reader("modelwarden.daemon.worker", theirs)
        try:
            answers = asyncio.run(ask(worker, ours, descriptors))
            status = Path(f"/proc/{worker.pid}/status").read_text()
        finally:
            worker.kill()
            worker.close()
            while not worker.is_reaped():
                time.sleep(0.01)
            for descriptor in descriptors:
                os.close(descriptor)
    return answers, int(status.partition("VmHWM:")[2].split()[0])


def test_locked_worker_identifies(tmp_path: Path) -> None:
    """In the sandbox everything that a parser needs is there."""
    answers, _ = locked_answers([write_gguf(tmp_path / "m.gguf"), Path(__file__), Path("/dev/null")])
    assert [answer["outcome"] for answer in answers] == ["model", "not_a_model", "not_a_model"]


def test_locked_worker_stays_small(tmp_path: Path) -> None:
    """Lying and giant files take bounded memory, and each less than its two seconds."""
    contents = (
        gguf_bytes(tensors=1 << 60, body=(gguf_key("a", 9, pack("<IQ", 8, 2_000_000) + bytes(16_000_000)),)),
        gguf_bytes(body=(gguf_key("general.name", 8, pack("<Q", 1 << 60)),)),
        safetensors_raw(b'{"__metadata__":{},"a":' + b"[" + b"[]," * (5 << 20) + b"1]}"),
        safetensors_raw(b'{"__metadata__":{"a":' + b"[" + b"[]," * 340_000 + b"1]}}"),
    )
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"lie{number}"
        path.write_bytes(content)
        os.truncate(path, 1 << 40)
        paths.append(path)
    answers, peak = locked_answers(paths)
    assert all("problem" in str(answer) for answer in answers)
    assert peak < 96 << 10


def test_locked_worker_names_what_it_lacks() -> None:
    """A descriptor that cannot be read gives a reason, not a death."""
    answers, _ = locked_answers([Path("/")])
    assert answers == [{"outcome": "unreadable", "reason": "Is a directory"}]
