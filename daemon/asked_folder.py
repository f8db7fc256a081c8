"""A folder whose documents the worker asks the opener for: the worker itself can open nothing."""

import os
from _socket import CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, socket
from sys import byteorder

from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT
from modelwarden.daemon.near import END, GIVEN, LISTING_BYTES, NAMES, PLACE, READ, TARGET, UP_LIMIT

ANSWER_BYTES = LISTING_BYTES + 1024
CHUNK = 1 << 18


class Line:
    """The worker's end of the channel, for the time of one file; everything that comes over it is hostile."""

    def __init__(self, channel: socket) -> None:
        self._channel = channel
        self._asked = False
        self.hangs = False
        """It has not answered in time: some file system does not. Nothing is asked of it any more."""

    def environment(self) -> dict[str, str] | None:
        """Variables of the process that opened the file, `None` when the file is not where its path says."""
        answer = self.ask(PLACE)[0]
        if answer is None:
            return None
        entries = (entry.partition("=") for entry in _text(answer).split("\0"))
        return {name: value for name, equals, value in entries if equals}

    def folder(self, up: int) -> "AskedFolder":
        """The folder that many steps above the file's own."""
        return AskedFolder(self, up)

    def end(self) -> None:
        """Let the opener leave the folders, and wait until it has: where that hangs, the delay belongs to this file."""
        if self._asked:
            self.ask(END)

    def ask(self, message: bytes) -> tuple[bytes | None, int]:
        """What the opener says, with a descriptor or -1; `None` when it gives nothing."""
        if self.hangs:
            return None, -1
        self._asked = True
        try:
            self._channel.send(message)
            answer, rights, _flags, _address = self._channel.recvmsg(ANSWER_BYTES, CMSG_SPACE(4))
        except OSError:  # the time is up
            self.hangs = True
            return None, -1
        descriptor = -1
        for level, kind, data in rights:
            if level == SOL_SOCKET and kind == SCM_RIGHTS:
                descriptor = int.from_bytes(data[:4], byteorder)
        return (answer[1:] if answer[:1] == GIVEN else None), descriptor


class AskedFolder:
    """A `Folder` (identify/reading/folder.py) that many steps above the file's own."""

    __slots__ = ("_line", "_up")

    def __init__(self, line: Line, up: int) -> None:
        self._line = line
        self._up = up

    def read(self, name: str, limit: int = DOCUMENT_LIMIT) -> bytes | None:
        """A file's content."""
        _, descriptor = self._ask(READ, f"{limit} {name}")
        if descriptor < 0:
            return None
        try:
            chunks, size = [], 0
            while size <= limit and (chunk := os.pread(descriptor, CHUNK, size)):
                chunks.append(chunk)
                size += len(chunk)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return b"".join(chunks) if size <= limit else None

    def names(self, name: str = "") -> tuple[str, ...]:
        """What is in a folder, sorted."""
        answer, _ = self._ask(NAMES, name)
        return tuple(sorted(_text(answer or b"").split("\0")[:-1]))

    def target(self, name: str) -> str | None:
        """Where a symbolic link points to."""
        answer, _ = self._ask(TARGET, name)
        return None if answer is None else _text(answer)

    def _ask(self, letter: bytes, what: str) -> tuple[bytes | None, int]:
        if not 0 <= self._up <= UP_LIMIT:
            return None, -1
        try:
            message = b"%b %d %b" % (letter, self._up, what.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:  # half of a pair, from a document
            return None, -1
        return self._line.ask(message)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
