"""Which opened files may be models: the table of the kernel's filter, with the same question in Python for /proc."""

import re
from enum import IntFlag

STRONG_SUFFIXES = frozenset(
    {"gguf", "safetensors", "pt", "ckpt", "jit", "onnx", "ort", "tflite", "keras", "llamafile", "nemo"}
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


LIKE_A_MODEL = ~(Candidate.WATCHED | Candidate.NAMED_FILE)
"""The reasons for which a file may be a model."""
TAMPER_TARGETS = frozenset({"ld.so.preload"})
"""Files, by name, that nobody changes on an ordinary day and that make every program load code."""


def candidate(name: str, size: int, large_bytes: int) -> Candidate:
    """What the kernel's filter says of a file called `name` with `size` bytes: the same answer, for /proc."""
    found = Candidate(0)
    _, dot, suffix = name.rpartition(".")
    suffix = suffix.lower() if dot and suffix.isascii() else ""
    if suffix in STRONG_SUFFIXES:
        found |= Candidate.STRONG_SUFFIX
    elif suffix in WEAK_SUFFIXES and size >= WEAK_MIN_BYTES:
        found |= Candidate.WEAK_SUFFIX
    if _CONTENT_ADDRESSED.fullmatch(name):
        found |= Candidate.CONTENT_ADDRESSED
    if size >= large_bytes:
        found |= Candidate.LARGE
    return found
