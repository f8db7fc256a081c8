"""The iterator over mappings: exactly the files in memory that nobody has a descriptor of any more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kernel.holding import Stage, holding, identity
from tests.kernel.watch import load_or_skip

from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.probe import HookKind
from modelwarden.probes.sampled.procfs import FileFound

pytestmark = pytest.mark.bpf

FILES = 7
MakeFile = Callable[..., Path]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """The kernel side with its iterators; before Linux 5.12 there is none over mappings."""
    kernel = load_or_skip({})
    try:
        if not any(one.name == "mapped" and one.hook is HookKind.ITERATOR for one in kernel.states):
            pytest.skip("this kernel has no iterator over mappings")
        yield kernel
    finally:
        kernel.close()


@pytest.fixture
def stage(kernel: Kernel) -> Iterator[Stage]:
    """Processes that hold files."""
    with holding(kernel) as stage:
        yield stage


@pytest.mark.parametrize("way", ["mapped", "deleted mapping"])
def test_each_way_to_map(stage: Stage, make_file: MakeFile, way: str) -> None:
    """Seven files that are only mapped are seven files found, each once, as the opens have told of them."""
    make_file("other.txt")
    paths = [make_file(f"{number}.gguf", 4096 + number) for number in range(FILES)]

    pid = stage.hold(way, *paths)

    held = stage.held(pid)
    assert sorted(one.path for one in held) == sorted(map(str, paths))
    assert {(one.mapped, one.writable) for one in held} == {(True, False)}
    if way == "mapped":  # for a deletion changes the ctime
        assert {identity(one) for one in held} == {identity(one) for one in stage.opened(pid)}
    assert {one.inode for one in held} == {one.inode for one in stage.opened(pid)}


def test_mapping_in_pieces(stage: Stage, make_file: MakeFile) -> None:
    """A file that is mapped in many pieces, others between them, is found once."""
    paths = [make_file(f"{number}.gguf", 8192) for number in range(3)]

    pid = stage.hold("mapped", *paths, *paths, *reversed(paths))

    assert sorted(one.path for one in stage.held(pid)) == sorted(map(str, paths))


def test_mapping_of_a_file_in_memory(stage: Stage) -> None:
    """A memfd without a descriptor is found by its name."""
    [held] = stage.held(stage.hold("memfd mapping", "a.gguf"))
    assert (held.path, held.size, held.mapped) == ("/memfd:a.gguf", 4, True)


def test_shared_memory_is_no_file(stage: Stage) -> None:
    """What processes share without a file is none to the user, though it is one to the kernel, and large."""
    assert stage.held(stage.hold("shared memory", "-")) == []


def test_writing_does_not_hide_reading(stage: Stage, make_file: MakeFile) -> None:
    """A file open for writing and mapped for reading is found both ways."""
    pid = stage.hold("both", make_file("a.gguf", 5000))

    assert sorted((one.mapped, one.writable) for one in stage.held(pid)) == [(False, True), (True, False)]


@pytest.mark.parametrize("way", ["read", "mapped", "deleted mapping"])
def test_overlayfs(stage: Stage, tmp_path: Path, make_file: MakeFile, way: str) -> None:
    """On overlayfs the file is the one in front, though the kernel maps the one behind."""
    for name in ("lower", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    make_file("a.gguf", 5000, tmp_path / "lower")
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    mount = f"mount -t tmpfs none {tmp_path}/upper && mkdir {tmp_path}/upper/u {tmp_path}/upper/w"
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper/u,workdir={tmp_path}/upper/w"
    mount += f' && mount -t overlay overlay -o {layers} {tmp_path}/merged && exec "$0" "$@"'

    pid = stage.hold(way, tmp_path / "merged" / "a.gguf", before=("/usr/bin/unshare", "-m", "/bin/sh", "-c", mount))

    [held], [opened] = stage.held(pid), stage.opened(pid)
    assert (held.device, held.inode, held.size) == (opened.device, opened.inode, opened.size)
    assert (held.path, held.mapped) == (str(tmp_path / "merged" / "a.gguf"), "mapped" in way or "mapping" in way)
    assert way == "deleted mapping" or identity(held) == identity(opened)


def test_a_kernel_without_the_iterator(make_file: MakeFile) -> None:
    """What is mapped is then read from /proc, with the same identity, and the state of the probe says so."""
    open_too, path = make_file("open.gguf", 5000), make_file("a.gguf", 5000)
    kernel = load_or_skip({"mapped_iterator": "left out by the test"})
    [state] = [one for one in kernel.states if one.name == "mapped"]
    with holding(kernel) as stage:
        pid = stage.hold("many times", open_too)
        other = stage.hold("mapped", path)
        events = [one for one in stage.look() if isinstance(one, FileFound) and one.pid in {pid, other}]
        opened = stage.opened(other)
    kernel.close()

    assert (state.hook, state.reason) == (HookKind.PROCFS, "iterator: left out by the test")
    assert [(one.path, one.mapped) for one in events] == [(str(open_too), False), (str(path), True)]
    assert [identity(events[-1])] == [identity(one) for one in opened]


def test_nothing_is_lost_in_a_long_look(stage: Stage, make_file: MakeFile) -> None:
    """More records than the kernel gathers at a time, long ones among them: none is missing, none is there twice."""
    folder = make_file("x").parent
    for _ in range(10):
        folder /= "d" * 200
        folder.mkdir()
    paths = [make_file(f"{number}.gguf", folder=folder) for number in range(199)]

    assert sorted(one.path for one in stage.held(stage.hold("mapped", *paths))) == sorted(map(str, paths))
