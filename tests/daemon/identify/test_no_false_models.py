"""Among the files of a whole system, nothing is a model that is none."""

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from modelwarden.daemon.identify.reading.window import FileWindow
from modelwarden.daemon.identify.sniffer import Format, Identity, sniff
from modelwarden.probes.candidate import STRONG_SUFFIXES
from modelwarden.probes.discover import discover

FILES_MAX = 100_000
FORMATS = cast("tuple[Format, ...]", discover("modelwarden.daemon.identify", "FORMAT", skip=("sniffer",)))
ARRAYS = {".npy", ".npz", ".h5", ".hdf5"}
PACKED = {".gz", ".gzip", ".bz2", ".xz", ".lzma", ".z", ".lz4", ".zlib"}
"""Of pickles that joblib has packed: joblib ships some."""


class Disk:
    """A `Folder` on the disk, as the opener would give it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self, name: str, limit: int = 1 << 20) -> bytes | None:
        """The content of a small regular file."""
        path = Path(self._path, name)
        if not path.is_file() or path.is_symlink() or path.stat().st_size > limit:
            return None
        return path.read_bytes()

    def names(self, name: str = "") -> tuple[str, ...]:
        """What is there."""
        path = Path(self._path, name)
        return tuple(sorted(one.name for one in path.iterdir()))[:4096] if path.is_dir() else ()

    def target(self, name: str) -> str | None:
        """Where a link points to."""
        path = Path(self._path, name)
        return str(path.readlink()) if path.is_symlink() else None


def identities() -> Iterator[tuple[Path, Identity | None]]:
    """Every regular file of the system and of this Python's environment, with what it is taken for."""
    for top in dict.fromkeys((sys.prefix, "/usr")):
        for folder, _, names in os.walk(top):
            for name in names:
                try:
                    descriptor = os.open(Path(folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                except OSError:
                    continue
                try:
                    window = FileWindow(descriptor, os.fstat(descriptor).st_size, 96 << 20, name, Disk(folder))
                    yield Path(folder, name), sniff(window, FORMATS)
                finally:
                    os.close(descriptor)


@pytest.fixture(scope="module")
def found() -> dict[Path, Identity]:
    """What was taken for something, of a hundred thousand files."""
    some: dict[Path, Identity] = {}
    for _, (path, identity) in zip(range(FILES_MAX), identities(), strict=False):
        if identity is not None:
            some[path] = identity
    return some


def test_what_is_a_model_is_called_one(found: dict[Path, Identity]) -> None:
    """Libraries ship real ones for their tests; nothing else is taken for a model by its content."""
    models = {path: one.format for path, one in found.items() if not one.generic}
    assert {path: kind for path, kind in models.items() if path.suffix[1:].lower() not in STRONG_SUFFIXES} == {}


def test_what_is_generic_is_what_it_says(found: dict[Path, Identity]) -> None:
    """Arrays are called arrays, and a pickle is one to Python's own reader of opcodes."""
    generic = [path for path, one in found.items() if one.generic and path.suffix.lower() not in ARRAYS | PACKED]
    assert [path for path in generic if path.suffix != ".pkl" and path.read_bytes()[:1] != pickle.PROTO] == []


def test_something_was_found(found: dict[Path, Identity]) -> None:
    """The tests above do not pass because nothing was looked at: this environment has real models."""
    assert {"onnx"} <= {one.format for one in found.values()}
