"""The iterators over processes and descriptors: exactly what runs and is open, with the identities of the opens."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.kernel.holding import Stage, holding, identity
from tests.kernel.watch import LARGE_BYTES, load_or_skip

from modelwarden.probes.candidate import Candidate
from modelwarden.probes.clock import TICK_NS
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.sampled.procfs import FileFound, ProcessFound, Procfs, Resynced, start_of

pytestmark = pytest.mark.bpf

FILES = 7
MakeFile = Callable[..., Path]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """The kernel side with its iterators."""
    kernel = load_or_skip({})
    yield kernel
    kernel.close()


@pytest.fixture
def stage(kernel: Kernel) -> Iterator[Stage]:
    """Processes that hold files."""
    with holding(kernel) as stage:
        yield stage


@pytest.mark.parametrize(
    ("way", "writable"),
    [("read", False), ("written", True), ("many times", False), ("deleted", False), ("alone", False), ("apart", False)],
)
def test_each_way_to_hold(stage: Stage, make_file: MakeFile, way: str, writable: bool) -> None:
    """Seven files held in one way are seven files found, each once, as the opens have told of them.

    Also when the process's first thread has ended, or another one has descriptors of its own.
    """
    make_file("other.txt")
    paths = [make_file(f"{number}.gguf", 4096 + number) for number in range(FILES)]

    pid = stage.hold(way, *paths)

    held = stage.held(pid)
    assert sorted(one.path for one in held) == sorted(map(str, paths))
    assert {(one.mapped, one.writable, one.reasons) for one in held} == {(False, writable, Candidate.STRONG_SUFFIX)}
    if way != "deleted":  # which changes its ctime
        assert {identity(one) for one in held} == {identity(one) for one in stage.opened(pid)}
    assert {one.inode for one in held} == {one.inode for one in stage.opened(pid)}


def test_file_in_memory(stage: Stage) -> None:
    """A memfd has a name that may be a model's."""
    [held] = stage.held(stage.hold("memfd", "a.gguf"))
    assert (held.path, held.size, held.mapped) == ("/memfd:a.gguf", 4, False)


def test_received_descriptor(stage: Stage, make_file: MakeFile) -> None:
    """A descriptor that came over a socket is held by who received it, whoever has opened the file."""
    path = make_file("a.gguf", 5000)
    descriptor = os.open(path, os.O_RDONLY)

    pid = stage.hold("received", path, passing=(descriptor,))
    os.close(descriptor)

    [held] = stage.held(pid)
    assert (held.path, held.inode) == (str(path), path.stat().st_ino)
    assert [one for one in stage.opened(pid) if one.path == str(path)] == []


def test_name_without_content_is_not_held(stage: Stage, make_file: MakeFile) -> None:
    """A descriptor that only names a file (O_PATH) reads nothing."""
    assert stage.held(stage.hold("name only", make_file("a.gguf"))) == []


def test_other_mount_namespace(stage: Stage, tmp_path: Path) -> None:
    """A file below a mount that only its own process sees has the path that the process knows."""
    mounting = ("/usr/bin/unshare", "-m", "/bin/sh", "-c", f'mount -t tmpfs none {tmp_path} && exec "$0" "$@"')

    pid = stage.hold("made here", tmp_path / "a.gguf", before=mounting)

    held = stage.held(pid)
    assert [one.path for one in held] == [str(tmp_path / "a.gguf")]
    assert {identity(one) for one in held} <= {identity(one) for one in stage.opened(pid)}
    [process] = [one for one in stage.look() if isinstance(one, ProcessFound) and one.pid == pid]
    assert process.mount_ns == Path(f"/proc/{pid}/ns/mnt").stat().st_ino != Path("/proc/self/ns/mnt").stat().st_ino


def test_process(stage: Stage, make_file: MakeFile) -> None:
    """A process is found as /proc shows it, its start more exactly."""
    pid = stage.hold("nothing", make_file("a.gguf"), "--token", "S3cr3t")

    [found] = [one for one in stage.look() if isinstance(one, ProcessFound) and one.pid == pid]
    [shown] = [one for one in Procfs(LARGE_BYTES).one(found.at, pid) if isinstance(one, ProcessFound)]
    assert replace(found, start_ns=found.start_ns // TICK_NS * TICK_NS) == shown
    assert found.start_ns // TICK_NS * TICK_NS == start_of(pid)
    assert found.arguments[-2:] == ("--token", "[redacted]")


def test_whole_system(stage: Stage) -> None:
    """Every process that /proc shows before and after is found once, parents first, kernel threads never."""
    pids = [stage.hold("name only") for _ in range(5)]
    before = {one.pid for one in Procfs(LARGE_BYTES).sample(1) if isinstance(one, ProcessFound)}
    events = stage.look()
    after = {one.pid for one in Procfs(LARGE_BYTES).sample(1) if isinstance(one, ProcessFound)}

    found = [one for one in events if isinstance(one, ProcessFound)]
    order = [one.pid for one in found]
    assert {*pids, os.getpid()} <= before & after <= set(order)
    assert len(set(order)) == len(order)
    assert events[-1] == Resynced(events[0].at, len(order))
    places = {pid: place for place, pid in enumerate(order)}
    assert all(places[one.parent_pid] < places[one.pid] for one in found if one.parent_pid in places)
    assert not any(Path(f"/proc/{pid}/exe").is_symlink() is False and pid in before & after for pid in order)


def test_ours_are_left_out(stage: Stage, make_file: MakeFile) -> None:
    """What a process of ours runs and holds is nobody's business; nor is what proves the probes."""
    ours, proof = (stage.hold("read", make_file(name)) for name in ("ours.gguf", "proof.gguf"))
    assert {ours, proof} <= {one.pid for one in stage.look() if isinstance(one, ProcessFound | FileFound)}

    stage.kernel.ignore(ours, start_of(ours))
    stage.kernel.expose(proof, start_of(proof))

    assert not {ours, proof} & {one.pid for one in stage.look() if isinstance(one, ProcessFound | FileFound)}


def test_what_the_inspector_found_counts(stage: Stage, make_file: MakeFile) -> None:
    """A model of any name is told, a file that is none is not, whatever its name."""
    dull, false = make_file("dull.txt"), make_file("false.gguf")
    pid = stage.hold("read", dull, false)
    assert [one.path for one in stage.held(pid)] == [str(false)]

    for path, is_model in ((dull, True), (false, False)):
        facts = path.stat()
        stage.kernel.remember(facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns, is_model=is_model)

    assert [(one.path, one.reasons) for one in stage.held(pid)] == [(str(dull), Candidate.KNOWN_MODEL)]
