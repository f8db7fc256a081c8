"""How long it takes to know what a file is: a model of each format, then files of every kind on this machine.

Formats are those that are there; a model for each is looked for among what packages ship and what can be written
here. More folders to look through may be given: `bench/formats.py /srv/models`. Files are in the page cache.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from statistics import median, quantiles
from typing import NamedTuple, cast

from kit import samples
from kit.disk_folder import DiskFolder
from kit.machine import introduce
from kit.table import show

from modelwarden.daemon.identify.reading.window import FileWindow
from modelwarden.daemon.identify.sniffer import HEAD_BYTES, BudgetSpentError, Format, Identity, sniff
from modelwarden.daemon.worker import BUDGET_BYTES
from modelwarden.probes.discover import discover

FORMATS = cast("tuple[Format, ...]", discover("modelwarden.daemon.identify", "FORMAT", skip=("sniffer",)))
ROUNDS = 101
TARGET_MS = 2.0
COMPARED_BYTES = 64 << 10
SWEPT = 20_000
"""Files of each tree, by chance; the same ones each time."""
AGAIN, TIMES = 20, 5
"""So many of the slowest are looked at again, so often; the best time counts: what others took is no file's."""
TREES = (Path("/usr"), Path(sys.prefix))


class Known(NamedTuple):
    """A model file."""

    path: Path
    size: int
    format: Format
    identity: Identity


class Opened:
    """An open file, with a window for each look into it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        status = os.fstat(self.descriptor)
        self.size = status.st_size
        self.is_regular = S_ISREG(status.st_mode)

    def window(self) -> FileWindow:
        """As the worker makes it."""
        return FileWindow(self.descriptor, self.size, BUDGET_BYTES, self._path.name, DiskFolder(self._path.parent))

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)


def files_below(folder: Path) -> Iterator[Path]:
    """Every name that is no folder."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def known(paths: Iterable[Path]) -> Iterator[Known]:
    """The models among these, with the format that said so."""
    for path in paths:
        try:
            with Opened(path) as file:
                if file.is_regular and (found := _who_knows(file)) is not None:
                    yield Known(path, file.size, *found)
        except OSError:
            continue


def _who_knows(file: Opened) -> tuple[Format, Identity] | None:
    head = file.window().read(0, HEAD_BYTES)
    for candidate in FORMATS:
        if candidate.recognises(head, file.size):
            try:
                identity = candidate.identify(file.window())
            except BudgetSpentError:
                continue
            if identity is not None:
                return candidate, identity
    return None


def representatives(models: Iterable[Known]) -> dict[tuple[str, str], Known]:
    """For each format and each kind of identity that it gives the largest file that could be read in full."""
    best: dict[tuple[str, str], Known] = {}
    for model in models:
        key = (model.format.name, model.identity.format)
        if model.identity.problem is None and (key not in best or best[key].size < model.size):
            best[key] = model
    return best


def compared_ms(path: Path) -> tuple[list[float], list[float]]:
    """Milliseconds to know the file and to read 64 KiB of it, in turns."""
    knowing, reading = [], []
    with Opened(path) as file:
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            sniff(file.window(), FORMATS)
            between = time.perf_counter()
            os.pread(file.descriptor, COMPARED_BYTES, 0)
            knowing.append((between - begun) * 1000)
            reading.append((time.perf_counter() - between) * 1000)
    return knowing, reading


def each_format(folders: Iterable[Path]) -> None:
    """A row for each format."""
    with tempfile.TemporaryDirectory(prefix="modelwarden-bench-") as name:
        samples.unpack(Path(name, "shipped"))
        samples.write(Path(name, "written"))
        best = representatives(known(path for folder in (Path(name), *folders) for path in files_below(folder)))
        rows = [_row(kind, model) for (_, kind), model in sorted(best.items())]
    show(
        f"a model of each format, {ROUNDS} looks in turns with reads; target below {TARGET_MS:g} ms for the header",
        ("identity", "file", "size", "known in, ms", "worst", "64 KiB read in", "ratio"),
        rows,
    )
    if missing := sorted({one.name for one in FORMATS} - {one for one, _ in best}):
        print(f"no model at hand for: {', '.join(missing)}")


def _row(kind: str, model: Known) -> tuple[str, ...]:
    knowing, reading = compared_ms(model.path)
    ratio = median(knowing) / median(reading)
    times = (f"{median(knowing):.3f}", f"{max(knowing):.3f}", f"{median(reading):.3f}", f"{ratio:.0f}")
    return (kind, model.path.name[:40], f"{model.size:,}", *times)


def sweep(tree: Path) -> None:
    """What a tree of files of every kind costs, and what in it is taken for a model."""
    paths = sorted(files_below(tree))
    chosen = random.Random(20260101).sample(paths, min(SWEPT, len(paths)))  # noqa: S311 - the same each time
    took: list[tuple[float, Path]] = []
    models: Counter[tuple[str, bool]] = Counter()
    for path in chosen:
        try:
            with Opened(path) as file:
                if not file.is_regular:
                    continue
                file.window().read(0, COMPARED_BYTES)  # into the page cache
                begun = time.perf_counter()
                identity = sniff(file.window(), FORMATS)
                took.append(((time.perf_counter() - begun) * 1e6, path))
        except OSError:
            continue
        if identity is not None:
            models[identity.format, identity.generic] += 1
    times = [one for one, _ in took]
    worst, slowest = max((_again_us(path), path) for _, path in sorted(took)[-AGAIN:])
    generic = sum(count for (_, is_generic), count in models.items() if is_generic)
    p99 = quantiles(times, n=100)[-1]
    rows = [(f"{len(took):,} of {len(paths):,}", f"{models.total() - generic}", f"{generic}",
             f"{median(times):.0f}", f"{p99:.0f}", f"{worst:,.0f}")]  # fmt: skip
    show(f"files of {tree}", ("files", "models", "generic", "µs, median", "p99", "worst"), rows)
    print(f"slowest: {slowest.relative_to(tree)}, {slowest.stat().st_size:,} bytes")
    print("taken for: " + (", ".join(f"{name} {count}{' (generic)' * is_generic}"
                                     for (name, is_generic), count in models.most_common()) or "nothing"))  # fmt: skip


def _again_us(path: Path) -> float:
    took = []
    with Opened(path) as file:
        for _ in range(TIMES):
            begun = time.perf_counter()
            sniff(file.window(), FORMATS)
            took.append((time.perf_counter() - begun) * 1e6)
    return min(took)


def main() -> None:
    """Each format, then each tree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="*", help="where more models are")
    folders = parser.parse_args().folder
    introduce()
    each_format(folders)
    for tree in TREES:
        sweep(tree)


if __name__ == "__main__":
    main()
