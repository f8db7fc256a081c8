"""Gives the worker the small documents around the file that it reads, and nothing else.

The worker has read what a hostile author wrote: it may ask for anything. What it gets lies in the folder of the file or
in one above it, on the same mount, without a link on the way, has a document's name, and belongs to the same owner or
is for everyone to read. Nothing is looked at before the worker asks: a path may lead through a file system that never
answers, and then costs the documents only.
"""

import os
import stat
import time
from itertools import islice

from modelwarden.daemon.locate import (
    LOOK,
    RESOLVE_BENEATH,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    RESOLVE_NO_XDEV,
    Request,
    open_beneath,
    reopen,
)
from modelwarden.daemon.near import GIVEN, LISTING_BYTES, NAMES, PLACE, READ, REFUSED, TARGET, UP_LIMIT

NAME_LIMIT = 1024
FILE_LIMIT = 16 << 20
BLOB_LIMIT = 1 << 20
BYTES_LIMIT = 64 << 20
REQUESTS_LIMIT = 2000
TIME_LIMIT_S = 0.5
"""For all the requests of one file: a quarter of what the worker has for it."""
NAMES_LIMIT = 4096
ENVIRONMENT_BYTES = 256 << 10
VALUE_LIMIT = 4096
SUFFIXES = (b".json", b".xml", b".md", b".yaml", b".yml", b".txt", b".ini")
NAMES_GIVEN = (b"variables.index",)
TAGGED = (b"refs", b"manifests")
"""Folders whose files are named after revisions and tags."""
HASH_LENGTHS = (40, 64)
WAY = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS


class Neighbourhood:
    """The folders around one file, as long as the worker reads that file."""

    __slots__ = (
        "_bytes",
        "_deadline",
        "_entered",
        "_file",
        "_folders",
        "_owners",
        "_request",
        "_requests",
        "_variables",
    )

    def __init__(self, request: Request, descriptor: int, variables: tuple[bytes, ...]) -> None:
        found = os.fstat(descriptor)
        self._request = request
        self._file = (found.st_dev, found.st_ino)
        self._owners: tuple[int, ...] = (found.st_uid,)
        self._variables = variables
        self._entered = False
        self._folders: list[int] = []
        """The file's own folder and those above it, as far up as they are given."""
        self._requests, self._bytes = REQUESTS_LIMIT, BYTES_LIMIT
        self._deadline = 0.0

    def answer(self, message: bytes) -> tuple[bytes, int]:
        """The answer to a worker's message, with the descriptor that goes along or -1. Never raises."""
        try:
            self._requests -= 1
            if self._requests < 0 or not self._is_in_time():
                return REFUSED, -1
            if not self._entered:
                self._enter()
            letter, _, rest = message.partition(b" ")
            if letter == PLACE:
                return GIVEN + self._environment(), -1
            up, _, rest = rest.partition(b" ")
            folder = self._folders[int(up)] if len(up) == 1 and up.isdigit() else -1
            if letter == READ:
                limit, _, name = rest.partition(b" ")
                return GIVEN, self._open(folder, name, int(limit) if len(limit) < 10 else 0)
            if letter == NAMES:
                return GIVEN + _names(folder, rest), -1
            if letter == TARGET:
                return GIVEN + _target(folder, rest), -1
        except (OSError, ValueError, IndexError):
            pass
        return REFUSED, -1

    def close(self) -> None:
        """Leave the folders; nothing of them blocks, as they were never opened for reading."""
        for descriptor in self._folders:
            os.close(descriptor)
        self._folders.clear()

    def _is_in_time(self) -> bool:
        now = time.monotonic()
        self._deadline = self._deadline or now + TIME_LIMIT_S
        return now < self._deadline

    def _enter(self) -> None:
        """Find the root in which the path leads to the file, and open the folders there."""
        self._entered = True
        folders, _, name = self._request.path.rpartition(b"/")
        if not folders.startswith(b"/") or not _is_plain(self._request.path[1:], hidden=True):
            return
        for root in (*(b"/proc/%d/root" % pid for pid in self._request.pids), b"/"):
            try:
                top = os.open(root, LOOK | os.O_DIRECTORY)
            except OSError:
                continue
            try:
                if self._climb(top, folders[1:].split(b"/"), name):
                    return
            finally:
                os.close(top)

    def _climb(self, top: int, parts: list[bytes], name: bytes) -> bool:
        """Open the folders from the file's own upwards, below `top`; whether the file is where its path says."""
        try:
            own = open_beneath(top, b"/".join(parts), LOOK | os.O_DIRECTORY, WAY)
        except OSError:
            return False
        self._folders.append(own)
        if not self._has_file(top, own, name):
            self.close()
            return False
        owner = os.fstat(own).st_uid
        self._owners = (*self._owners, owner)
        for up in range(1, min(UP_LIMIT + 1, len(parts))):
            folder = open_beneath(top, b"/".join(parts[:-up]), LOOK | os.O_DIRECTORY, WAY)
            self._folders.append(folder)
            # A store belongs to one user. What lies above it, such as /home, has the folders of others.
            if os.fstat(folder).st_uid != owner:
                os.close(self._folders.pop())
                break
        return True

    def _has_file(self, top: int, own: int, name: bytes) -> bool:
        try:
            if self._is_file(open_beneath(own, name, LOOK | os.O_NOFOLLOW, WAY)):
                return True
            # The kernel reports where a file is; who was told of a link instead gets the folder of the link.
            return self._is_file(open_beneath(top, self._request.path))
        except OSError:
            return False

    def _is_file(self, found: int) -> bool:
        state = os.fstat(found)
        os.close(found)
        return (state.st_dev, state.st_ino) == self._file

    def _open(self, folder: int, name: bytes, limit: int) -> int:
        """A document, open for reading; raises `OSError` when it is none or may not be given."""
        limit = min(limit, _limit(name), self._bytes)
        candidate = _look(folder, name, LOOK)
        try:
            found = os.fstat(candidate)
            is_shown = found.st_uid in self._owners or found.st_mode & stat.S_IROTH
            if not stat.S_ISREG(found.st_mode) or found.st_size > limit or not is_shown:
                raise PermissionError
            self._bytes -= found.st_size
            return reopen(candidate)
        finally:
            os.close(candidate)

    def _environment(self) -> bytes:
        """`NAME=value` with a NUL behind each, of the first process that shows one; only variables asked for."""
        if not self._folders:
            raise FileNotFoundError
        for pid in self._request.pids:
            try:
                with open(b"/proc/%d/environ" % pid, "rb") as environ:  # noqa: PTH123  (pathlib is memory)
                    entries = environ.read(ENVIRONMENT_BYTES).split(b"\0")
            except OSError:
                continue
            if entries != [b""]:
                known = (entry for entry in entries if len(entry) < VALUE_LIMIT)
                found = {entry.partition(b"=")[0]: entry + b"\0" for entry in known}
                return b"".join(found[name] for name in self._variables if name in found)
        return b""


def _look(folder: int, name: bytes, flags: int) -> int:
    """A descriptor on something below a folder, on the same mount; raises `OSError`."""
    if folder < 0 or not _is_plain(name):
        raise PermissionError
    return open_beneath(folder, name, flags, WAY | RESOLVE_NO_XDEV)


def _is_plain(name: bytes, *, hidden: bool = False) -> bool:
    """Whether a relative path has real names only, none of them hidden."""
    refused = (b"", b".", b"..")
    is_short = len(name) <= (1 << 16 if hidden else NAME_LIMIT) and b"\0" not in name
    return is_short and not any(part in refused or (part[:1] == b"." and not hidden) for part in name.split(b"/"))


def _limit(name: bytes) -> int:
    """The most bytes that a document of this name has, -1 when the name is not a document's."""
    *folders, last = name.split(b"/")
    if last.lower().endswith(SUFFIXES) or last in NAMES_GIVEN or any(folder in TAGGED for folder in folders):
        return FILE_LIMIT
    digits = last.removeprefix(b"sha256-")
    is_hash = len(digits) in HASH_LENGTHS and not digits.strip(b"0123456789abcdef")
    return BLOB_LIMIT if is_hash else -1


def _names(folder: int, name: bytes) -> bytes:
    """Names in a folder, a NUL behind each."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC
    if folder < 0:
        raise PermissionError
    listed = open_beneath(folder, b".", flags, WAY) if not name else _look(folder, name, flags)
    try:
        with os.scandir(listed) as entries:
            found = b"".join(os.fsencode(entry.name) + b"\0" for entry in islice(entries, NAMES_LIMIT))
    finally:
        os.close(listed)
    return found if len(found) <= LISTING_BYTES else found[: found.rindex(b"\0", 0, LISTING_BYTES) + 1]


def _target(folder: int, name: bytes) -> bytes:
    link = _look(folder, name, LOOK | os.O_NOFOLLOW)
    try:
        return os.readlink(b"", dir_fd=link)
    finally:
        os.close(link)
