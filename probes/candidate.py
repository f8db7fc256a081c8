"""Which opened files may be models: the table of the kernel's filter, with the same question in Python for /proc."""

import os
import re
from collections.abc import Collection
from enum import IntFlag

STRONG_SUFFIXES = frozenset(
    {"gguf", "safetensors", "pt", "ckpt", "jit", "onnx", "ort", "tflite", "keras", "llamafile", "nemo", "dduf", "ptl"}
)
"""Hardly anything else is called so: an open marks the process at once."""

WEAK_SUFFIXES = frozenset(
    {
        *("bin", "dat", "data", "model", "pb", "mlmodel"),
        *("pth", "pkl", "pickle", "joblib", "npy", "npz", "h5", "hdf5"),
        *("engine", "plan", "trt", "ggml"),
    }
)
"""Models are called so, and much else: inspected, but the process is not marked."""

LIBRARY_HEAD_BYTES = 8
_SUFFIX_BYTES = 16
"""Of a name's end, how far the kernel looks for the last dot."""
WEAK_MIN_BYTES = 32
"""Below this a file with a weak suffix holds no header of any format."""

_CONTENT_ADDRESSED = re.compile(r"(?:sha256-)?[0-9a-fA-F]{64}|[0-9a-fA-F]{40}")


class Candidate(IntFlag):
    """Why an open is reported; rendered into events.h."""

    STRONG_SUFFIX = 1
    WEAK_SUFFIX = 2
    CONTENT_ADDRESSED = 4
    """40 or 64 hexadecimal digits, or `sha256-` and 64: content-addressed stores have no suffixes."""
    LARGE = 8
    WATCHED = 16
    """The process is marked; the file itself need not be special."""
    KNOWN_MODEL = 32
    """The inspector found a model in it before."""
    NAMED_FILE = 64
    """A policy names it, and it may be written to."""
    LIBRARY = 128
    """A shared library whose name begins like one of those that do machine learning: only eight characters are
    compared, so user space looks at the whole name."""


LIKE_A_MODEL = ~(Candidate.WATCHED | Candidate.NAMED_FILE | Candidate.LIBRARY)
"""The reasons for which a file may be a model."""
TAMPER_TARGETS = frozenset({"ld.so.preload"})
"""Files, by name, that nobody changes on an ordinary day and that make every program load code."""


def library_head(name: str) -> bytes:
    """The eight bytes by which the kernel compares a library's name, NUL-filled."""
    return os.fsencode(name)[:LIBRARY_HEAD_BYTES].ljust(LIBRARY_HEAD_BYTES, b"\0")


def candidate(name: str, size: int, large_bytes: int, libraries: Collection[bytes] = ()) -> Candidate:
    """What the kernel's filter says of a file called `name` with `size` bytes: the same answer, for /proc.

    `libraries` are the heads of the names of libraries (`library_head`).
    """
    found = Candidate(0)
    _, dot, suffix = name.rpartition(".")
    suffix = suffix.lower() if dot and suffix.isascii() else ""
    if suffix in STRONG_SUFFIXES:
        found |= Candidate.STRONG_SUFFIX
    elif suffix in WEAK_SUFFIXES and size >= WEAK_MIN_BYTES:
        found |= Candidate.WEAK_SUFFIX
    is_library = suffix == "so" or (suffix[:1].isdigit() and len(suffix) < _SUFFIX_BYTES)
    if is_library and library_head(name) in libraries:
        found |= Candidate.LIBRARY
    if _CONTENT_ADDRESSED.fullmatch(name):
        found |= Candidate.CONTENT_ADDRESSED
    if size >= large_bytes:
        found |= Candidate.LARGE
    return found
