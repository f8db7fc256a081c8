"""A SHA-256 whose state can be taken out in the middle and put back later, by libcrypto."""

import ctypes
import hashlib
from typing import Protocol

BLOCK_BYTES = 64
LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1")
_CANARY = 0xEE
"""A byte that none of the words has with which a sum begins."""


class Sum(Protocol):
    """A sum under way."""

    def update(self, data: memoryview) -> None:
        """Takes more of the content."""
        ...

    def midstate(self) -> bytes | None:
        """What to go on from later, for a length of whole blocks; `None` when it cannot be had."""
        ...

    def digest(self) -> bytes:
        """The sum; nothing may be added behind it."""
        ...


class _Context(ctypes.Structure):
    """`SHA256_CTX` of openssl/sha.h, plain data since OpenSSL 0.9.8: 112 bytes."""

    _fields_ = (
        ("h", ctypes.c_uint32 * 8),
        ("low", ctypes.c_uint32),
        ("high", ctypes.c_uint32),
        ("data", ctypes.c_uint32 * 16),
        ("num", ctypes.c_uint32),
        ("md_len", ctypes.c_uint32),
    )


class PlainSum:
    """Where libcrypto is another one: a sum that begins anew after each interruption."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def update(self, data: memoryview) -> None:
        """As `Sum`."""
        self._sum.update(data)

    def midstate(self) -> None:
        """As `Sum`."""

    def digest(self) -> bytes:
        """As `Sum`."""
        return self._sum.digest()


class ResumableSum:
    """Between two blocks the eight words and the length are the whole state (FIPS 180-4, section 6.2)."""

    def __init__(self, library: ctypes.CDLL, length: int = 0, midstate: bytes | None = None) -> None:
        """Goes on behind `length` bytes, a multiple of 64, when there is a midstate. `ValueError` for a wrong one."""
        self._library = library
        self._context = _Context()
        library.SHA256_Init(ctypes.byref(self._context))
        if midstate is not None:
            if len(midstate) != 32 or length % BLOCK_BYTES or not 0 <= length < 1 << 61:
                raise ValueError("a midstate is 32 bytes behind whole blocks")
            ctypes.memmove(self._context.h, midstate, 32)
            self._context.high, self._context.low = divmod(length * 8, 1 << 32)

    def update(self, data: memoryview) -> None:
        """As `Sum`; the memory must be writable, which is how ctypes finds its address without a copy."""
        first = ctypes.c_char.from_buffer(data)
        self._library.SHA256_Update(ctypes.byref(self._context), ctypes.byref(first), ctypes.c_size_t(len(data)))

    def midstate(self) -> bytes | None:
        """As `Sum`."""
        return bytes(self._context.h) if self._context.num == 0 else None

    def digest(self) -> bytes:
        """As `Sum`."""
        found = ctypes.create_string_buffer(32)
        self._library.SHA256_Final(found, ctypes.byref(self._context))
        return found.raw


def load() -> ctypes.CDLL | None:
    """The library, when it does what this module says of it; else `None`."""
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            if _is_as_expected(library):
                return library
        except (OSError, AttributeError):
            continue
    return None


def _is_as_expected(library: ctypes.CDLL) -> bool:
    """Whether the context has this size, which `SHA256_Init` clears as a whole, and an interrupted sum is right."""
    size = ctypes.sizeof(_Context)
    room = ctypes.create_string_buffer(bytes([_CANARY]) * (2 * size), 2 * size)
    library.SHA256_Init(room)
    if bytes([_CANARY]) in room.raw[:size] or room.raw[size:] != bytes([_CANARY]) * size:
        return False
    content = bytearray(range(256)) * 3
    begun = ResumableSum(library)
    begun.update(memoryview(content)[:512])
    resumed = ResumableSum(library, 512, begun.midstate())
    resumed.update(memoryview(content)[512:767])
    return resumed.digest() == hashlib.sha256(content[:767]).digest()
