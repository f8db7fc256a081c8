"""Bytes that can be read at any place: a window on a file, or a document that is in memory already."""

from typing import Protocol


class Source(Protocol):
    """What the readers of binary encodings need of a window."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`, short at the end."""
        ...


class Held:
    """A document in memory."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """A copy of a part of it."""
        return self._data[offset : offset + length] if offset >= 0 and length > 0 else b""
