"""Windows on a piece of a file: a member of an archive where it lies, or bytes that were unpacked in memory."""

from modelwarden.daemon.identify.reading.folder import Folder
from modelwarden.daemon.identify.sniffer import Window


class Part:
    """`size` bytes of another window from `offset` on; the budget is that of the whole."""

    __slots__ = ("_offset", "_size", "_whole", "name")

    def __init__(self, whole: Window, offset: int, size: int, name: str = "") -> None:
        self._whole = whole
        self._offset = offset
        self._size = max(0, min(size, whole.size - offset))
        self.name = name
        """The member's name."""

    @property
    def size(self) -> int:
        """The bytes of it that are there: fewer than were claimed where the file ends before it."""
        return self._size

    @property
    def beside(self) -> Folder:
        """What lies beside the whole."""
        return self._whole.beside

    def read(self, offset: int, length: int) -> bytes:
        """As any window reads, within the part."""
        length = min(length, self._size - offset)
        return self._whole.read(self._offset + offset, length) if offset >= 0 and length > 0 else b""


class Unpacked:
    """Bytes in memory, read like a file."""

    __slots__ = ("_data", "beside", "name")

    def __init__(self, data: bytes, whole: Window) -> None:
        self._data = data
        self.name = whole.name
        """The name of the file that they were in."""
        self.beside = whole.beside

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """As any window reads; nothing is left of the budget by it, since the bytes are there."""
        return self._data[offset : offset + length] if offset >= 0 and length > 0 else b""
