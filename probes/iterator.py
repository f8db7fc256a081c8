"""Runs a loaded iterator: what its program wrote, record by record."""

import os
import struct
from collections.abc import Iterator

from modelwarden.probes import registry
from modelwarden.probes.event import Event
from modelwarden.probes.libbpf import open_iterator
from modelwarden.probes.wire import header_of

READ_BYTES = 1 << 16
"""The kernel gathers 32 KiB at most before it hands them over (bpf_seq_read, kernel/bpf/bpf_iter.c)."""

_LENGTH, _LENGTH_AT = struct.Struct("<I"), 4
"""Of the whole record, where each record has it."""


def run_iterator(program: int) -> Iterator[Event]:
    """One run, decoded as it is read; `OSError` when the kernel refuses it or breaks it off.

    Also for bytes that are no record: what was not understood must not look as if it were not there.
    """
    descriptor = open_iterator(program)
    try:
        for raw in split(iter(lambda: _read(descriptor), b"")):
            try:
                yield registry.LAYOUT_OF_KIND[header_of(raw)[0]].decode(raw)
            except (KeyError, ValueError) as error:
                raise OSError(f"an iterator wrote what is no record: {error}") from error
    finally:
        os.close(descriptor)


def split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The records in a stream that may be cut anywhere; `OSError` when it ends within one."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        start = 0
        while len(rest) - start >= _LENGTH_AT + _LENGTH.size:
            (length,) = _LENGTH.unpack_from(rest, start + _LENGTH_AT)
            if length < _LENGTH_AT + _LENGTH.size:
                raise OSError(f"an iterator wrote a record of {length} bytes")
            if start + length > len(rest):
                break
            yield rest[start : start + length]
            start += length
        rest = rest[start:]
    if rest:
        raise OSError(f"an iterator ended within a record, behind {len(rest)} bytes of it")


def _read(descriptor: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, READ_BYTES)
        except BlockingIOError:  # behind a million objects of which the program told nothing: there are more
            continue
