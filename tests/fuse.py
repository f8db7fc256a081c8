"""A file system in this process that leaves chosen requests without an answer, as a dead network mount does.

Source of the protocol: linux/fuse.h, version 7.31.
"""

import ctypes
import os
import threading
from collections.abc import Collection
from pathlib import Path
from struct import pack, unpack_from
from types import TracebackType

LOOKUP, FORGET, GETATTR, OPEN, READ, FLUSH, INIT, INTERRUPT, BATCH_FORGET = 1, 2, 3, 14, 15, 25, 26, 36, 42
ENOSYS = 38
FILE, INODE, TIME = 2, 4711, 1_700_000_000
MNT_FORCE, MNT_DETACH = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)


class Fuse:
    """One mounted directory in which every name is a file of `content`; `silent` requests are never answered."""

    def __init__(self, target: Path, content: bytes, silent: Collection[int] = ()) -> None:
        self.target = target
        self.content = content
        self.silent = silent
        self._device = -1
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Fuse":
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0".encode()
        if _libc.mount(b"silent", os.fsencode(self.target), b"fuse", 0, options) != 0:
            number = ctypes.get_errno()
            os.close(self._device)
            raise OSError(number, os.strerror(number))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Force ends the requests that wait, and with them the processes that sleep in the kernel.
        _libc.umount2(os.fsencode(self.target), MNT_FORCE)
        _libc.umount2(os.fsencode(self.target), MNT_DETACH)
        self._thread.join(5)
        os.close(self._device)

    def _serve(self) -> None:
        while True:
            try:
                request = os.read(self._device, 1 << 18)
            except OSError:
                return
            _, code, unique, node = unpack_from("<IIQQ", request)
            if code in self.silent or code in {FORGET, INTERRUPT, BATCH_FORGET}:
                continue
            number, body = self._answer(code, node, request[40:])
            try:
                os.write(self._device, pack("<IiQ", 16 + len(body), -number, unique) + body)
            except OSError:
                continue  # the asker gave up

    def _answer(self, code: int, node: int, body: bytes) -> tuple[int, bytes]:  # noqa: PLR0911
        match code:
            case 26:
                return 0, pack("<IIIIHHIIHHI28x", 7, 31, 1 << 17, 0, 12, 9, 1 << 17, 1, 32, 0, 0)
            case 1:
                return 0, pack("<QQQQII", FILE, 0, 60, 60, 0, 0) + self._attributes(FILE)
            case 3:
                return 0, pack("<QII", 60, 0, 0) + self._attributes(node)
            case 14:
                return 0, pack("<QII", 1, 0, 0)
            case 15:
                offset, length = unpack_from("<QI", body, 8)
                return 0, self.content[offset : offset + length]
            case 18 | 25:
                return 0, b""
            case _:
                return ENOSYS, b""

    def _attributes(self, node: int) -> bytes:
        mode = 0o100644 if node == FILE else 0o040755
        inode = INODE if node == FILE else 1
        times = (TIME, TIME, TIME, 0, 0, 0)
        return pack("<QQQQQQIIIIIIIIII", inode, len(self.content), 1, *times, mode, 1, 0, 0, 0, 4096, 0)
