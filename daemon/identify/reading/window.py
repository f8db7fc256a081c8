"""The bounded view of one open file through which every format reads."""

import os

from modelwarden.daemon.identify.reading.folder import Folder, NoFolder
from modelwarden.daemon.identify.sniffer import BudgetSpentError

READ_LIMIT = 16 << 20
"""The longest single read in bytes: what one format may hold in memory at a time."""


class FileWindow:
    """Positioned reads of an open descriptor, no more than `budget` bytes in all."""

    __slots__ = ("_descriptor", "_left", "_size", "beside", "name")

    def __init__(self, descriptor: int, size: int, budget: int, name: str = "", beside: Folder | None = None) -> None:
        self._descriptor = descriptor
        self._size = size
        self._left = budget
        self.name = name
        """The last component of the path by which it was opened."""
        self.beside: Folder = beside or NoFolder()
        """The folder that it lies in."""

    @property
    def size(self) -> int:
        """The size of the file in bytes when it was opened."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`: short, or empty, at the end of the file.

        Offsets come from hostile headers: one beyond the file, however far, gives nothing. Raises
        `BudgetSpentError` beyond the budget or `READ_LIMIT`, and `OSError` when the disk fails.
        """
        length = min(length, self._size - offset)
        if offset < 0 or length <= 0:
            return b""
        if length > self._left or length > READ_LIMIT:
            raise BudgetSpentError
        self._left -= length
        data = os.pread(self._descriptor, length, offset)
        while len(data) < length:
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data
