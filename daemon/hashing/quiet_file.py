"""Reads a file from end to end and leaves the page cache as it found it."""

import errno
import os


class QuietFile:
    """An open file; the advice that it gives to the kernel is of this descriptor alone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # No reading ahead: what it would bring into the cache could not be told from what was there.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        self._can_tell = True

    def read_into(self, room: memoryview, offset: int) -> int:
        """How many bytes were read, 0 at the end. Raises `OSError`.

        What is in the cache is read from there (RWF_NOWAIT, preadv2(2)). The first page that is not, and what is behind
        it in this piece, is read from the disk and dropped again: where a piece is cached in spots, the later ones
        are lost with it.
        """
        cached = self._cached(room, offset)
        if cached == len(room):
            return cached
        count = os.preadv(self._descriptor, [room[cached:]], offset + cached)
        if self._can_tell and count:
            os.posix_fadvise(self._descriptor, offset + cached, count, os.POSIX_FADV_DONTNEED)
        return cached + count

    def _cached(self, room: memoryview, offset: int) -> int:
        if not self._can_tell:
            return 0
        try:
            return os.preadv(self._descriptor, [room], offset, os.RWF_NOWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
        # FUSE and NFS cannot say. Who opened the model has it in the cache most likely, so nothing is dropped; what
        # is read only once is the first to leave anyway.
        self._can_tell = False
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_NORMAL)
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_NOREUSE)
        return 0
