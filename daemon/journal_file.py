"""Journals as files: made for their owner alone, read line by line within bounds."""

import errno
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from modelwarden.daemon.journal import (
    BEGINNING,
    LINE_MAX,
    REMEMBERED_MAX,
    JournalError,
    decode,
    decode_header,
    is_remembered,
    kind_of,
)
from modelwarden.daemon.printable import printable
from modelwarden.probes.event import Event

_GZIP = b"\x1f\x8b"


def create(path: Path) -> IO[bytes]:
    """A new file that only its owner may read, compressed if its name ends in `.gz`; an empty one is taken too.

    Raises `JournalError`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise JournalError(f"the journal {path} cannot be made ({reason}): name another file") from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size:
        os.close(descriptor)
        what = "exists already" if stat.S_ISREG(found.st_mode) else "is no regular file"
        raise JournalError(f"the journal {path} {what}: name another file, or move it away")
    os.fchmod(descriptor, 0o600)
    return _compressed(os.fdopen(descriptor, "wb"), "wb") if path.suffix == ".gz" else os.fdopen(descriptor, "wb")


def _compressed(file: IO[bytes], mode: str) -> IO[bytes]:
    zipped = gzip.GzipFile(filename="", mode=mode, fileobj=file)
    zipped.myfileobj = file  # type: ignore[assignment] # closed with it, as when it is opened by a name
    return cast("IO[bytes]", zipped)


class JournalFile:
    """A journal to be read: its header at once, its events as often as they are asked for.

    A line that was cut off (the daemon was killed, the disk was full) ends it: all before it counts, and `cut` says so.
    """

    def __init__(self, path: Path, *, line_max: int = LINE_MAX, remembered_max: int = REMEMBERED_MAX) -> None:
        """Raises `JournalError`."""
        self.path = path
        self._line_max = line_max
        self._remembered_max = remembered_max
        self.cut: str | None = None
        """Why the journal ends before its end, after it was read; `None` when it is whole."""
        with self._opened() as file:
            try:
                line = self._line(file, self._line_max)
                self.header = decode_header(line)
            except JournalError as error:
                raise self._error(1, str(error)) from None

    def events(self) -> Iterator[tuple[int, Event]]:
        """Each event with the number of its line. Raises `JournalError`."""
        self.cut = None
        with self._opened() as file:
            number = 0
            while True:
                number += 1
                try:
                    line = self._line(file, self._line_max)
                    if len(line) == self._line_max and not line.endswith(b"\n"):
                        line += self._rest(file, line)
                    if not line:
                        self._begun(number)
                        return
                    if number == 1:
                        continue
                    event = self._event(line)
                except JournalError as error:
                    raise self._error(number, str(error)) from None
                if event is None:
                    self.cut = f"line {number} of {self.path} was cut off; what stands before it counts"
                    self._begun(number)
                    return
                self._check(number, event)
                yield number, event

    def _event(self, line: bytes) -> Event | None:
        """`None` for the beginning of a line."""
        try:
            return decode(line)
        except JournalError:
            if line.endswith(b"\n"):
                raise
            return None

    def _check(self, number: int, event: Event) -> None:
        if number - 2 < len(BEGINNING) and type(event) is not BEGINNING[number - 2]:
            wanted = kind_of(BEGINNING[number - 2])
            raise self._error(number, f"{kind_of(type(event))} stands where {wanted} belongs: the file was edited")

    def _begun(self, number: int) -> None:
        if number - 2 < len(BEGINNING):
            raise self._error(number, "the journal ends before anything was recorded: record a new one")

    def _rest(self, file: IO[bytes], line: bytes) -> bytes:
        if not is_remembered(line):
            raise JournalError(f"longer than {self._line_max} bytes: the file was edited or damaged")
        rest = self._line(file, self._remembered_max - self._line_max)
        if not rest.endswith(b"\n") and len(rest) == self._remembered_max - self._line_max:
            raise JournalError(f"longer than {self._remembered_max} bytes: the file was edited or damaged")
        return rest

    def _line(self, file: IO[bytes], limit: int) -> bytes:
        """The next line, or `limit` bytes of it; what a damaged or cut compressed file has left is no line."""
        try:
            return file.readline(limit)
        except EOFError:
            self.cut = f"{self.path} was cut off; what it holds counts"
            return b""
        except (zlib.error, gzip.BadGzipFile) as error:
            raise JournalError(f"its compression is damaged ({error}): get a new copy") from None
        except OSError as error:
            raise JournalError(f"it cannot be read ({error.strerror or error}): get a new copy") from None

    def _opened(self) -> IO[bytes]:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise JournalError(f"{self.path} cannot be read ({error.strerror}): check its name and rights") from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise JournalError(f"{self.path} is no regular file: name a journal")
        file = os.fdopen(descriptor, "rb")
        is_compressed = file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
        return _compressed(file, "rb") if is_compressed else file

    def _error(self, number: int, what: str) -> JournalError:
        return JournalError(f"{printable(str(self.path))}, line {number}: {what}")
