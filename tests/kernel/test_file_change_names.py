"""The names that the probe file_change tells: from everywhere, of any bytes, one for each change."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.calls import AT_FDCWD, call
from tests.kernel.changing import begin, changes, forget, in_child, is_by_fentry, text, told
from tests.kernel.watch import Watch, by_each_hook

from modelwarden.probes.kernel.file_change import PROBE, Change, FileChanged
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.wire import PATH_BYTES_MAX

pytestmark = pytest.mark.bpf

MakeFile = Callable[..., Path]
EMPTY_PATH = 0x1000


kernel = by_each_hook(PROBE)


@pytest.fixture
def watch(kernel: Kernel) -> Watch:
    """What happens from now on; the test's own process is visible, and not marked."""
    return begin(kernel)


def test_relative_names(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """Names that go through `..` and `.` come out as the paths that they are."""
    make_file("a.gguf", 0)
    (tmp_path / "below" / "deep").mkdir(parents=True)
    forget(watch)
    code = "import os, sys; os.chdir(sys.argv[1]); os.rename('../..//a.gguf', './../deep/./b.gguf')"

    in_child(code, str(tmp_path / "below" / "deep"))

    assert told(watch, tmp_path) == [(Change.RENAME, "below/deep/b.gguf", "a.gguf")]


@pytest.mark.parametrize("name", [b"line\nbreak.gguf", b"\xff\xfe.gguf", b"\xe2\x82\xac .gguf", b"x" * 250 + b".gguf"])
def test_names_of_any_bytes(watch: Watch, make_file: MakeFile, tmp_path: Path, name: bytes) -> None:
    """No byte of a name is lost."""
    make_file("plain", 0).rename(tmp_path / os.fsdecode(name))

    assert told(watch, tmp_path) == [(Change.RENAME, os.fsdecode(name), "plain")]


def test_a_symbolic_link_in_place_of_a_named_file(watch: Watch, tmp_path: Path) -> None:
    """Its target is told as it was given."""
    (tmp_path / "ld.so.preload").symlink_to("../x/./y")
    (tmp_path / "ld.so.preload").unlink()

    assert told(watch, tmp_path) == [
        (Change.SYMLINK, "ld.so.preload", "../x/./y"),
        (Change.UNLINK, "ld.so.preload", ""),
    ]


def test_the_path_is_that_of_the_mount_namespace(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """A file under a bind mount in a namespace of its own is named as that namespace names it."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    make_file("bound.gguf", 0, source)
    forget(watch)

    script = f"mount --bind {source} {target} && cd {target} && mv bound.gguf moved.gguf && rm {target}/moved.gguf"
    subprocess.run(["/usr/bin/unshare", "-m", "/bin/sh", "-c", script], check=True)

    assert told(watch, target) == [(Change.RENAME, "moved.gguf", "bound.gguf"), (Change.UNLINK, "moved.gguf", "")]
    assert Path("/proc/self/ns/mnt").stat().st_ino not in {one.mount_ns for one in changes(watch, target)}


def test_in_a_root_of_its_own(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """What a process calls absolute begins in its root; nothing leads out of it."""
    make_file("a.gguf", 0)
    forget(watch)

    in_child("import os, sys; os.chroot(sys.argv[1]); os.chdir('/'); os.unlink('/../a.gguf')", str(tmp_path))

    assert told(watch, tmp_path) == [(Change.UNLINK, "a.gguf", "")]


def test_a_file_without_a_name_gets_one(watch: Watch, tmp_path: Path) -> None:
    """A link to an open file, by its descriptor alone."""
    descriptor = os.open(tmp_path, os.O_TMPFILE | os.O_WRONLY)

    call(265, descriptor, b"", AT_FDCWD, text(tmp_path / "made.gguf"), EMPTY_PATH)
    os.close(descriptor)

    [(change, path, _)] = told(watch, tmp_path)
    assert (change, path) == (Change.LINK, "made.gguf")


def test_a_name_too_long_for_its_folder(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """Where the folder and the text do not fit together, the end is kept, and it says that it is cut."""
    deep = tmp_path.joinpath(*["d" * 200] * 18)
    deep.mkdir(parents=True)
    make_file("deep.gguf", 0, deep)
    forget(watch)
    long = "./" * 1000 + "deep.gguf"

    in_child("import os, sys; os.chdir(sys.argv[1]); os.unlink(sys.argv[2])", str(deep), long)

    [event] = [one for one in watch.of(FileChanged) if one.path.endswith("/deep.gguf")]
    if is_by_fentry(watch):
        assert (event.path, event.path_cut) == (str(deep / "deep.gguf"), 0)
    else:
        assert len(str(deep)) + len(long) > PATH_BYTES_MAX
        assert (event.path, event.path_cut) == ("/deep.gguf", 1)


def test_one_change_on_overlayfs_is_one(watch: Watch, make_file: MakeFile, tmp_path: Path) -> None:
    """What the file system does with its layers for a change is not reported beside it."""
    layers = {name: tmp_path / name for name in ("lower", "upper", "work", "merged")}
    for layer in layers.values():
        layer.mkdir()
    for number in range(4):
        make_file(f"{number}.gguf", 100, layers["lower"])
    options = ",".join(f"{name}dir={layers[name]}" for name in ("lower", "upper", "work"))
    merged = layers["merged"]
    subprocess.run(["/bin/mount", "-t", "overlay", "overlay", "-o", options, str(merged)], check=True)
    forget(watch)
    try:
        (merged / "0.gguf").rename(merged / "new.gguf")
        (merged / "1.gguf").unlink()
        (merged / "link.gguf").hardlink_to(merged / "2.gguf")
        os.truncate(merged / "3.gguf", 50)
        (merged / "soft.gguf").symlink_to("x")
    finally:
        subprocess.run(["/bin/umount", str(merged)], check=True)

    assert [one for one in told(watch, tmp_path) if not one[1].startswith("merged/")] == []
    assert told(watch, merged) == [
        (Change.RENAME, "new.gguf", "0.gguf"),
        (Change.UNLINK, "1.gguf", ""),
        (Change.LINK, "link.gguf", "2.gguf"),
        (Change.TRUNCATE, "3.gguf", ""),
        (Change.SYMLINK, "soft.gguf", "x"),
    ]
