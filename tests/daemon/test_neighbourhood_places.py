"""Which folders count as near a file: those on its way, in the root of who opened it, of one owner."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.finding import DEAD, needs_root, process, request_for, state
from tests.nearby import around, given_by

from modelwarden.daemon.locate import Request

USER = 4711


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file with weights, in a folder of a store."""
    path = tmp_path / "store" / "blobs" / "model"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    return path


def test_magic_links_are_not_followed(tmp_path: Path) -> None:
    """A link of /proc leads nowhere, and its target is not told where the folder is not the file's."""
    near = around(tmp_path.parent, request_for(tmp_path.parent, named=b"/proc/self/cwd"))
    assert given_by(near, b"T 0 cwd") is None


@pytest.mark.root
@needs_root
def test_other_mounts(model: Path) -> None:
    """What is mounted over a file or a folder beside the model is refused."""
    secret = model.parents[2] / "shadow"
    secret.write_bytes(b"root:secret")
    (model.parent / "config.json").write_bytes(b"{}")
    (model.parent / "sub").mkdir()
    code = (
        "import ctypes, sys; mount = ctypes.CDLL(None).mount;"
        "assert mount(sys.argv[1].encode(), (sys.argv[2] + '/config.json').encode(), None, 4096, None) == 0;"
        "assert mount(b'/etc', (sys.argv[2] + '/sub').encode(), None, 4096, None) == 0"
    )
    with process(code, secret, model.parent, unshare=True) as pid:
        near = around(model, request_for(model, pids=(pid,)))
        assert given_by(near, b"N 0 ") is not None
        assert given_by(near, b"R 0 1000 config.json") is None
        assert given_by(near, b"R 0 1000 sub/hosts.txt") is None
        assert given_by(near, b"N 0 sub") is None
        near.close()
    near = around(model)
    assert given_by(near, b"R 0 1000 config.json") == b"{}"
    near.close()


@pytest.mark.root
@needs_root
def test_other_owners_above(model: Path) -> None:
    """The folders above end where another's begin: a home folder does not lead to the other homes."""
    (model.parents[2] / "all.json").write_bytes(b"{}")
    (model.parents[1] / "mine.json").write_bytes(b"{}")
    for path in (model, *model.parents[:2]):
        os.chown(path, USER, USER)
    near = around(model)
    assert given_by(near, b"R 1 9 mine.json") == b"{}"
    assert given_by(near, b"R 2 9 all.json") is None
    near.close()


@pytest.mark.root
@needs_root
def test_what_the_owner_could_not_read(model: Path) -> None:
    """A document of another owner is given when everyone may read it."""
    (model.parent / "a.json").write_bytes(b"{}")
    near = around(model)
    os.chown(model.parent / "a.json", USER, USER)
    (model.parent / "a.json").chmod(0o640)
    assert given_by(near, b"R 0 9 a.json") is None
    (model.parent / "a.json").chmod(0o644)
    assert given_by(near, b"R 0 9 a.json") == b"{}"
    near.close()


def test_folders_above_have_an_end(tmp_path: Path) -> None:
    """Eight folders above are given, the root never."""
    model = tmp_path / "/".join("abcdefghij") / "model"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    near = around(model)
    assert [given_by(near, b"N %d " % up) is not None for up in range(10)] == [True] * 9 + [False]
    assert given_by(near, b"N 10 ") is None
    assert given_by(near, b"N -1 ") is None
    near.close()
    if os.geteuid() == 0:
        hostname = Path("/etc/hostname")
        near = around(hostname)
        assert given_by(near, b"N 0 ") is not None
        assert given_by(near, b"N 1 ") is None
        near.close()


@pytest.mark.parametrize("named", [b"", b"m", b"/m", b"/a/../m", b"/nowhere/model", b"/etc/hostname"])
def test_a_path_that_leads_elsewhere(model: Path, named: bytes) -> None:
    """Where the claimed path does not lead to the file that was found, nothing near it is given."""
    near = around(model, request_for(model, named=named))
    assert [given_by(near, message) for message in (b"N 0 ", b"P", b"R 0 9 hosts.txt", b"N 1 ")] == [None] * 4


def test_a_replaced_file_has_no_neighbours(model: Path) -> None:
    """Given another file under the name meanwhile, then nothing near it is given."""
    near = around(model)
    (model.parent / "a.json").write_bytes(b"{}")
    with model.open("rb"):  # as the worker holds it: its number is not given anew
        model.unlink()
        model.write_bytes(b"weights")
        assert given_by(near, b"R 0 9 a.json") is None


def test_a_link_told_as_the_path(model: Path) -> None:
    """Given the path of a link to the file, then its folder is the link's."""
    link = model.parents[1] / "snapshot" / "m"
    link.parent.mkdir()
    link.symlink_to("../blobs/model")
    (link.parent / "a.json").write_bytes(b"{}")
    near = around(model, request_for(model, named=os.fsencode(link)))
    assert given_by(near, b"R 0 9 a.json") == b"{}"
    near.close()


@pytest.mark.root
@needs_root
def test_the_folder_is_that_of_the_root(tmp_path: Path) -> None:
    """Given a process in another root, then its own store is seen, not the one of the host under that path."""
    root = tmp_path / "root"
    for folder, text in ((root / "m", b"inside"), (tmp_path / "m", b"outside")):
        folder.mkdir(parents=True)
        (folder / "model").write_bytes(b"weights")
        (folder / "a.json").write_bytes(text)
    with process("import os, sys; os.chroot(sys.argv[1])", root) as pid:
        near = around(root / "m" / "model", request_for(root / "m" / "model", named=b"/m/model", pids=(pid,)))
        assert given_by(near, b"R 0 9 a.json") == b"inside"
        assert given_by(near, b"N 1 ") is None
        near.close()


@pytest.mark.root
@needs_root
def test_the_folder_is_that_of_the_namespace(tmp_path: Path) -> None:
    """Given a store that only the process has mounted, then it is seen through it."""
    code = (
        "import ctypes, os, sys; ctypes.CDLL(None).mount(b't', sys.argv[1].encode(), b'tmpfs', 0, None);"
        "os.mkdir(sys.argv[1] + '/m'); open(sys.argv[1] + '/m/model', 'w');"
        "open(sys.argv[1] + '/m/a.json', 'w').write('inside')"
    )
    with process(code, tmp_path, unshare=True) as pid:
        seen = Path(f"/proc/{pid}/root{tmp_path}/m/model")
        request = Request(state(seen.stat()), os.fsencode(tmp_path / "m" / "model"), (pid,))
        near = around(seen, request)
        assert given_by(near, b"R 0 9 a.json") == b"inside"
        near.close()


def test_passes_named_variables_only(model: Path) -> None:
    """Of the environment of the first process that has one, only variables that move a store travel."""
    environment = {"HF_HOME": "/data", "HF_TOKEN": "secret", "HOME": "/home/dana", "PATH": "/usr/bin"}
    with subprocess.Popen(["/bin/sleep", "60"], env=environment) as running:
        try:
            request = request_for(model, pids=(DEAD, running.pid, os.getpid()))
            near = around(model, request, (b"HF_HOME", b"HOME", b"UNSET", b"HF_"))
            assert given_by(near, b"P") == b"HF_HOME=/data\0HOME=/home/dana\0"
            near.close()
        finally:
            running.kill()


def test_holds_no_folder_afterwards(model: Path) -> None:
    """Once the worker is done with a file, no descriptor keeps its mount busy."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    near = around(model)
    given_by(near, b"N 1 ")
    given_by(near, b"R 0 5 nothing.json")
    near.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
