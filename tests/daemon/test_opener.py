"""Finding a file: by names of hostile processes, by what they hold, and never the wrong one."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.finding import DEAD, content, needs_root, outcome, process, request_for, state

from modelwarden.daemon.locate import CHANGED, GONE, OPENED, UNREADABLE, Request, locate
from modelwarden.daemon.readers import Reader


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file with weights."""
    path = tmp_path / "m.gguf"
    path.write_bytes(b"weights")
    return path


def test_finds_a_file_by_its_path(model: Path) -> None:
    """A process that is gone leaves the path as the daemon has it."""
    assert content(request_for(model, pids=(DEAD,))) == b"weights"


@pytest.mark.parametrize(
    "name", [b"a\nb.gguf", b"\x1b[31mred.gguf", b"\xff\xfe.gguf", b"n" * 255, b"two  blanks.gguf", "模型.gguf".encode()]
)
def test_finds_odd_names(tmp_path: Path, name: bytes) -> None:
    """Newlines, escapes, bytes that are no UTF-8, and the longest name are names."""
    path = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(b"odd")
    assert content(Request.decode(request_for(path).encode())) == b"odd"


def test_opened_descriptor_is_safe(model: Path) -> None:
    """The descriptor cannot write and is not inherited."""
    descriptor, _ = locate(request_for(model))
    try:
        assert not os.get_inheritable(descriptor)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(descriptor, b"x")
    finally:
        os.close(descriptor)


def test_finds_what_a_process_holds(model: Path) -> None:
    """A file without a name is found among the descriptors."""
    with model.open("rb") as held:
        model.unlink()
        request = Request(state(os.fstat(held.fileno())), os.fsencode(model), (DEAD, os.getpid()))
        assert content(request) == b"weights"


@pytest.mark.root
@needs_root
def test_finds_what_a_process_mapped(model: Path) -> None:
    """A file that is mapped, closed and deleted is found among the mappings."""
    code = (
        "import ctypes, os, sys; libc = ctypes.CDLL(None); libc.mmap.restype = ctypes.c_void_p;"
        "f = os.open(sys.argv[1], os.O_RDONLY); libc.mmap(None, 4096, 1, 2, f, ctypes.c_long(0)); os.close(f)"
    )
    with model.open("rb") as held, process(code, model) as pid:
        model.unlink()
        assert content(Request(state(os.fstat(held.fileno())), os.fsencode(model), (pid,))) == b"weights"


def test_says_gone(model: Path) -> None:
    """A file that nobody holds any more is gone."""
    request = request_for(model, pids=(os.getpid(), DEAD))
    model.unlink()
    assert outcome(request) == GONE


def test_says_changed_after_a_write(model: Path) -> None:
    """A file that grew since is not the file that was opened."""
    request = request_for(model)
    with model.open("ab") as file:
        file.write(b"more")
    assert outcome(request) == CHANGED


def test_says_changed_though_size_and_time_were_restored(model: Path) -> None:
    """Other weights of the same size, with the old time put back, are still other weights."""
    request = request_for(model)
    time.sleep(0.02)
    model.write_bytes(b"WEIGHTS")
    os.utime(model, ns=(request.mtime_ns, request.mtime_ns))
    assert outcome(request) == CHANGED


def test_says_changed_after_a_replacement(model: Path) -> None:
    """A file renamed over the path is another file."""
    request = request_for(model)
    other = model.with_suffix(".new")
    other.write_bytes(b"weights")
    os.utime(other, ns=(request.mtime_ns, request.mtime_ns))
    keep = model.with_suffix(".kept")
    keep.hardlink_to(model)
    other.rename(model)
    assert outcome(request) == CHANGED


def test_is_not_held_up_by_a_fifo(tmp_path: Path) -> None:
    """A FIFO with a model's name is not opened: that would wait for a writer."""
    path = tmp_path / "m.gguf"
    os.mkfifo(path)
    assert outcome(request_for(path)) == CHANGED


def test_leaves_devices_and_sockets_alone(tmp_path: Path) -> None:
    """Devices, sockets and folders are no files."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "m.gguf"))
        assert outcome(request_for(tmp_path / "m.gguf")) == CHANGED
    assert outcome(request_for(b"/dev/null")) == CHANGED
    assert outcome(request_for(tmp_path)) == CHANGED


@pytest.mark.parametrize("named", [b"", b"relative/m.gguf", b"/\0etc", b"/" + b"x" * 300, b"/" + b"a/" * 3000])
def test_survives_impossible_paths(model: Path, named: bytes) -> None:
    """A path that cannot be leads nowhere."""
    assert outcome(request_for(model, named=named)) in {GONE, UNREADABLE + b" File name too long"}


def test_loops_lead_nowhere(tmp_path: Path, model: Path) -> None:
    """A symbolic link to itself is an error with a name."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert outcome(request_for(model, named=os.fsencode(loop))).startswith(UNREADABLE)


@pytest.mark.root
@needs_root
def test_resolves_links_inside_a_root(tmp_path: Path) -> None:
    """In a changed root, an absolute link means that root, and `..` does not leave it."""
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "m.gguf").write_bytes(b"inside")
    (root / "link").symlink_to("/real/m.gguf")
    (root / "up").symlink_to("../../../../real/m.gguf")
    with process("import os, sys; os.chroot(sys.argv[1])", root) as pid:
        for named in (b"/link", b"/up", b"/real/../link"):
            assert content(request_for(root / "real" / "m.gguf", named=named, pids=(pid,))) == b"inside"


@pytest.mark.root
@needs_root
def test_does_not_leave_a_root(tmp_path: Path, model: Path) -> None:
    """A link in a hostile root that points at a file of the host finds nothing there."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "m.gguf").symlink_to(model)
    (root / "self").symlink_to("/proc/self/cwd/m.gguf")
    with process("import os, sys; os.chroot(sys.argv[1])", root) as pid:
        assert outcome(request_for(model, named=b"/m.gguf", pids=(pid,))) == GONE


@pytest.mark.root
@needs_root
def test_finds_a_file_in_another_mount_namespace(tmp_path: Path) -> None:
    """What a container has mounted is found through it."""
    code = (
        "import ctypes, os, sys; ctypes.CDLL(None).mount(b't', sys.argv[1].encode(), b'tmpfs', 0, None);"
        "open(sys.argv[1] + '/m.gguf', 'wb').write(b'in the namespace')"
    )
    with process(code, tmp_path, unshare=True) as pid:
        identity = state(Path(f"/proc/{pid}/root{tmp_path}/m.gguf").stat())
        request = Request(identity, os.fsencode(tmp_path / "m.gguf"), (pid,))
        assert content(request) == b"in the namespace"
    assert outcome(request) == GONE


def test_device_counts_elsewhere(model: Path) -> None:
    """An equal inode number on another device is another file."""
    request = request_for(model)
    request.device += 1
    assert outcome(request) == CHANGED


@given(
    identity=st.tuples(*[st.integers(0, 2**64 - 1)] * 5),
    path=st.binary(max_size=300).filter(lambda path: b"\0" not in path),
    pids=st.lists(st.integers(0, 2**31)).map(tuple),
)
def test_request_travels(identity: tuple[int, int, int, int, int], path: bytes, pids: tuple[int, ...]) -> None:
    """A request arrives as it was sent."""
    sent = Request(identity, path, pids)
    received = Request.decode(sent.encode())
    assert [getattr(received, name) for name in Request.__slots__] == [
        getattr(sent, name) for name in Request.__slots__
    ]


@contextmanager
def opener() -> Iterator[tuple[Reader, socket.socket]]:
    """An opener at work, with the worker's end of its channel."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            running = Reader("modelwarden.daemon.opener", theirs)
        try:
            running._socket.settimeout(10)
            ours.settimeout(10)
            assert running._socket.recv(100) == b"ready"
            yield running, ours
        finally:
            running.kill()
            running.close()
            while not running.is_reaped():
                time.sleep(0.01)


def test_hands_the_descriptor_to_the_worker_only(model: Path) -> None:
    """The program answers the daemon with a word, and the worker with the descriptor."""
    with opener() as (running, ours):
        running.send(request_for(model).encode())
        word, descriptors, _, _ = socket.recv_fds(running._socket, 100, 1)
        assert (word, descriptors) == (OPENED, [])
        message, descriptors, _, _ = socket.recv_fds(ours, 1000, 1)
        assert message.split()[0] == b"7"
        assert message.endswith(b"\0" + os.fsencode(model))
        with os.fdopen(descriptors[0], "rb") as file:
            assert file.read() == b"weights"


def test_gives_documents_until_the_worker_is_done(model: Path) -> None:
    """A worker that has a file may ask for what lies near; nothing before, nothing after."""
    (model.parent / "a.json").write_bytes(b"{}")
    with opener() as (running, ours):
        ours.send(b"HOME")
        running.send(request_for(model, pids=(os.getpid(),)).encode())
        assert running._socket.recv(100) == OPENED
        socket.recv_fds(ours, 1000, 1)
        ours.send(b"R 0 9 a.json")
        message, descriptors, _, _ = socket.recv_fds(ours, 100, 1)
        assert message == b"+"
        with os.fdopen(descriptors[0], "rb") as file:
            assert file.read() == b"{}"
        ours.send(b"R 0 9 ../a.json")
        assert socket.recv_fds(ours, 100, 1)[:2] == (b"-", [])
        ours.send(b"P")
        assert ours.recv(1000) in {b"+", b"+HOME=" + os.fsencode(os.environ.get("HOME", "")) + b"\0"}
        ours.send(b"E")
        assert ours.recv(100) == b"E"
        ours.send(b"R 0 9 a.json")
        running.send(request_for(model).encode())
        assert running._socket.recv(100) == OPENED
        assert socket.recv_fds(ours, 1000, 1)[0].endswith(os.fsencode(model))


def test_variables_are_named_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that has seen a file cannot name more variables than it did before."""
    monkeypatch.setenv("HOME", "/home/dana")
    monkeypatch.setenv("HF_TOKEN", "hidden")
    with process("") as pid, opener() as (running, ours):
        ours.send(b"HOME")
        for _ in range(2):
            running.send(request_for(model, pids=(pid,)).encode())
            assert running._socket.recv(100) == OPENED
            socket.recv_fds(ours, 1000, 1)
            ours.send(b"HF_TOKEN")
            assert ours.recv(1000) == b"-"
            ours.send(b"P")
            assert ours.recv(1000) == b"+HOME=/home/dana\0"


def test_a_worker_that_does_not_listen_holds_nobody_up(model: Path) -> None:
    """Given a worker that asks and never takes an answer, then the daemon is answered all the same."""
    for number in range(300):
        (model.parent / f"{number:0200}").touch()
    with opener() as (running, ours):
        ours.setblocking(False)
        running.send(request_for(model).encode())
        assert running._socket.recv(100) == OPENED
        with suppress(BlockingIOError):
            while True:
                ours.send(b"N 0 ")
        running.send(request_for(model).encode())
        assert running._socket.recv(100).split()[0] in {OPENED, UNREADABLE}


def test_an_opener_outlives_its_worker(model: Path) -> None:
    """Given a worker that is gone, then the daemon is told so, and the opener does not turn in circles."""
    with opener() as (running, ours):
        ours.close()
        running.send(request_for(model).encode())
        assert running._socket.recv(100) == UNREADABLE + b" the reader is gone"
        used = Path(f"/proc/{running.pid}/stat").read_text().split()[13:15]
        time.sleep(0.3)
        assert Path(f"/proc/{running.pid}/stat").read_text().split()[13:15] == used
