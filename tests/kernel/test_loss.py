"""Loss: what finds no room in the ring is counted to the record."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.watch import Watch

from modelwarden.probes.clock import boot_ns
from modelwarden.probes.event import EventsLost
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.reader import Reader
from modelwarden.probes.tables import MARKS_MAX

pytestmark = pytest.mark.bpf

FILES, PROCESSES = 211, 149
ATTEMPTS = 3
"""A lost record does not say whose it was: when another program opens a candidate meanwhile, the sum is too large."""
ROUNDS = 5003
PID_MAX = 1 << 22
"""No process has a number from here on: include/linux/threads.h."""
ONE_FLOOD = """
import os, sys
for number in range(int(sys.argv[2])):
    os.truncate(sys.argv[1], number)
    os.close(os.open(sys.argv[1], os.O_RDONLY))
"""
FLOOD = """
import os, sys
folder, processes = sys.argv[1], int(sys.argv[2])
names = [f"{folder}/{name}" for name in os.listdir(folder)]
for _ in range(processes):
    child = os.fork()
    if child == 0:
        for name in names:
            os.close(os.open(name, os.O_RDONLY))
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_a_flood_is_accounted_for_to_the_record(watch: Watch, make_file: Callable[..., Path], tmp_path: Path) -> None:
    """Of 31,439 opens that nobody reads in time, each is either reported or counted as lost."""
    folder = tmp_path / ("n" * 200)
    folder.mkdir()
    for number in range(FILES):
        make_file(f"{number}.gguf", 100, folder)
    reader = Reader(watch.kernel)

    for _ in range(ATTEMPTS):
        watch.drain()
        watch.events.clear()
        reader.losses(boot_ns())
        subprocess.run([sys.executable, "-S", "-c", FLOOD, folder, str(PROCESSES)], check=True)
        reported = sum(event.path.startswith(str(folder)) for event in watch.of(FileOpened))
        lost = [event for event in reader.losses(boot_ns()) if event.probe == "file_open"]
        assert lost, "the flood was too small to fill the ring"
        assert {event.place for event in lost} == {"ring"}
        accounted = reported + sum(event.count for event in lost)
        assert accounted >= FILES * PROCESSES
        if accounted == FILES * PROCESSES:
            break
    assert accounted == FILES * PROCESSES
    assert reader.losses(boot_ns()) == []


def test_an_open_that_was_lost_is_reported_at_the_next(watch: Watch, make_file: Callable[..., Path]) -> None:
    """A lost record suppresses no repetition: what was not said is said the next time."""
    path = make_file("w" * 240 + ".gguf")  # a record that is longer than the others finds no room either
    lost: list[EventsLost] = []
    reader = Reader(watch.kernel)
    reader.losses(boot_ns())
    for number in range(100_000):
        filler = path.with_name(f"{number % 50}-{'f' * 200}.gguf")
        if not filler.exists():
            os.mknod(filler)
        os.truncate(filler, number)  # another state each time, so that none is a repetition
        os.close(os.open(filler, os.O_RDONLY))
        if number % 1000 == 0 and (lost := reader.losses(boot_ns())):
            break
    assert lost, "the ring was never full"

    os.close(os.open(path, os.O_RDONLY))
    watch.drain()
    first = len(watch.opens(path))
    os.close(os.open(path, os.O_RDONLY))

    assert first == 0
    assert len(watch.opens(path)) == 1


def test_a_flood_of_one_process_costs_the_others_nothing(watch: Watch, make_file: Callable[..., Path]) -> None:
    """Who fills its share of the ring loses its own records, to the record; another process is heard."""
    path, other = make_file("f" * 240 + ".gguf"), make_file("other.gguf")
    reader = Reader(watch.kernel)
    reader.losses(boot_ns())

    flood = subprocess.Popen([sys.executable, "-S", "-c", ONE_FLOOD, path, str(ROUNDS)])
    assert flood.wait(timeout=60) == 0
    other.read_bytes()

    lost = {event.place: event.count for event in reader.losses(boot_ns()) if event.probe == "file_open"}
    assert list(lost) == ["share"]
    assert len([event for event in watch.opens(path) if event.pid == flood.pid]) + lost["share"] == ROUNDS
    assert len(watch.opens(other)) == 1


def test_after_a_drain_everybody_has_a_share_again(watch: Watch, make_file: Callable[..., Path]) -> None:
    """A process that was cut off is heard again as soon as the ring has been read."""
    path = make_file("f" * 240 + ".gguf")
    for round_ in range(2):
        watch.events.clear()
        for number in range(ROUNDS):
            os.truncate(path, round_ * ROUNDS + number)
            os.close(os.open(path, os.O_RDONLY))
        assert 0 < len(watch.opens(path)) < ROUNDS


def mark_all(watch: Watch, pids: range) -> None:
    """Marks processes that do not exist."""
    for pid in pids:
        watch.kernel.watch(pid, 1, watched=True)


def test_a_full_table_of_marks_is_a_loss(watch: Watch, make_file: Callable[..., Path]) -> None:
    """A process that cannot be marked is counted: what it does next may not be seen."""
    path, reader = make_file("w.gguf"), Reader(watch.kernel)
    reader.losses(boot_ns())
    strangers = range(PID_MAX, PID_MAX + MARKS_MAX + 1)
    try:
        with pytest.raises(OSError, match="marks"):
            mark_all(watch, strangers)
        os.close(os.open(path, os.O_RDONLY))
        lost = [(event.place, event.probe, event.count) for event in reader.losses(boot_ns())]
    finally:
        for pid in strangers:
            watch.kernel.watch(pid, 1, watched=False)

    assert ("table", "marks", 1) in lost
