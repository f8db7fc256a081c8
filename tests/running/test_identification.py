"""What the daemon says when somebody opens a model, in each of the ways in which people do."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import models
from tests.running.daemon import Daemon

pytestmark = pytest.mark.bpf

NOBODY = 65534
DIGEST = "5e" * 32
"""A claim, as every content-addressed name is. Reading the file for the true one would make this process a workload."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that every user may read: pytest's own are private."""
    made = Path("/var/tmp") / f"modelwarden-test-{os.getpid()}-{tmp_path.name}"
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def gguf(folder: Path) -> Path:
    """A small GGUF that the real library wrote."""
    path = models.write_gguf(folder / "tiny.gguf", name="tiny-random", file_type=1)
    path.chmod(0o644)
    return path


def cat(path: Path, **options: int) -> None:
    """A reader that is gone within milliseconds."""
    subprocess.run(["/bin/cat", path], check=True, stdout=subprocess.DEVNULL, **options)  # type: ignore[call-overload]


def test_says_who_read_which_model_within_a_second(daemon: Daemon, gguf: Path) -> None:
    """Process, user and what the model is: all of it while the reader is long gone."""
    begun = time.monotonic()
    cat(gguf)
    entry = daemon.opened(gguf)

    assert time.monotonic() - begun < 1
    assert (entry["exe"], entry["user"]) == (str(Path("/bin/cat").resolve()), "root")
    assert (entry["name"], entry["format"], entry["architecture"]) == ("tiny-random", "gguf", "llama")
    assert entry["quantization"] == "F16"
    assert entry["size"] == gguf.stat().st_size


def test_a_reader_of_another_user(daemon: Daemon, gguf: Path) -> None:
    """The user is the reader's, by name."""
    cat(gguf, user=NOBODY, group=NOBODY)

    assert daemon.opened(gguf)["user"] == "nobody"


def test_a_file_that_only_its_owner_may_read(daemon: Daemon, gguf: Path) -> None:
    """Rights on the file and on its folder do not keep the inspector out."""
    private = gguf.parent / "private"
    private.mkdir(mode=0o700)
    moved = gguf.rename(private / "mine.gguf")
    for path in (private, moved):
        os.chown(path, NOBODY, NOBODY)
    moved.chmod(0o600)

    cat(moved, user=NOBODY, group=NOBODY)

    assert daemon.opened(moved)["name"] == "tiny-random"


def test_mapped_by_python(daemon: Daemon, gguf: Path) -> None:
    """The way in which llama.cpp and gguf read weights: open, then map."""
    code = "import mmap, sys; f = open(sys.argv[1], 'rb'); mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[:4]"
    subprocess.run([sys.executable, "-c", code, gguf], check=True)

    entry = daemon.opened(gguf)
    assert "python" in entry["exe"]


def test_loaded_by_torch(daemon: Daemon, folder: Path) -> None:
    """torch.load of what torch.save wrote."""
    path = models.write_torch(folder / "weights.pt")
    subprocess.run([sys.executable, "-c", "import sys, torch; torch.load(sys.argv[1])", path], check=True)

    entry = daemon.opened(path)
    assert entry["format"] == "pytorch-zip"
    assert entry["parameters"] > 0


def test_loaded_by_safetensors(daemon: Daemon, folder: Path) -> None:
    """Safetensors' own reader of what its own writer wrote."""
    path = models.write_safetensors(folder / "model.safetensors")
    code = "import sys; from safetensors.numpy import load_file; load_file(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, path], check=True)

    entry = daemon.opened(path)
    assert entry["format"] == "safetensors"
    assert entry["parameters"] > 0


def test_through_a_link_into_a_content_addressed_store(daemon: Daemon, gguf: Path) -> None:
    """As the Hugging Face cache has it: a link with a name, a blob with a hash."""
    blobs, snapshot = gguf.parent / "blobs", gguf.parent / "snapshots" / ("a" * 40)
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    blob = gguf.rename(blobs / DIGEST)
    link = snapshot / "model.gguf"
    link.symlink_to(Path("../../blobs") / blob.name)

    cat(link)

    assert daemon.opened(blob)["name"] == "tiny-random"


def test_a_blob_without_a_suffix(daemon: Daemon, gguf: Path) -> None:
    """As Ollama has it: `sha256-` and 64 digits."""
    blob = gguf.rename(gguf.parent / f"sha256-{DIGEST}")

    cat(blob)

    assert daemon.opened(blob)["format"] == "gguf"


def test_renamed_weights(daemon: Daemon, gguf: Path) -> None:
    """A harmless suffix hides nothing: content decides."""
    renamed = gguf.rename(gguf.parent / "holiday.dat")

    cat(renamed)

    assert daemon.opened(renamed)["name"] == "tiny-random"


def test_large_weights_with_no_sign_in_their_name(daemon: Daemon, gguf: Path) -> None:
    """From 32 MiB on a file is looked into whatever it is called."""
    renamed = gguf.rename(gguf.parent / "holiday")
    os.truncate(renamed, 33 << 20)

    cat(renamed)

    assert daemon.opened(renamed)["name"] == "tiny-random"


def test_in_a_mount_namespace_of_its_own(daemon: Daemon, gguf: Path) -> None:
    """A container's file is found by its own path, on an overlay, while the container lives."""
    top = gguf.parent / "overlay"
    for name in ("upper", "work", "merged"):
        (top / name).mkdir(parents=True)
    script = (
        f"mount -t tmpfs none {top} && mkdir {top}/upper {top}/work {top}/merged && "
        f"mount -t overlay overlay -o lowerdir={gguf.parent},upperdir={top}/upper,workdir={top}/work {top}/merged && "
        f"cat {top}/merged/tiny.gguf > /dev/null; sleep 1"
    )
    subprocess.run(["/usr/bin/unshare", "-m", "/bin/sh", "-c", script], check=True)

    assert daemon.opened(top / "merged" / "tiny.gguf")["name"] == "tiny-random"


def test_in_a_chroot(daemon: Daemon, gguf: Path) -> None:
    """A process with another root directory is followed to the real place."""
    busybox = shutil.which("busybox") or pytest.skip("no busybox to put into a chroot")
    shutil.copy(busybox, gguf.parent / "busybox")

    subprocess.run(["/usr/sbin/chroot", gguf.parent, "/busybox", "cat", "/tiny.gguf"], check=True, capture_output=True)

    assert daemon.opened(gguf)["name"] == "tiny-random"


def test_counts_every_open(daemon: Daemon, gguf: Path) -> None:
    """1,009 opens by one process and 13 by others are 1,022 opens in the census."""
    code = "import sys; [open(sys.argv[1]).close() for _ in range(1009)]"
    subprocess.run([sys.executable, "-S", "-c", code, gguf], check=True)
    for _ in range(13):
        cat(gguf)

    model = daemon.model(gguf, lambda model: model["opens"] >= 1022)
    assert model["opens"] == 1022
    assert model["verdict"] == "pending"
    assert model["verified"] is False


@pytest.mark.parametrize("name", ["two\nlines.gguf", "\x1b[31mred.gguf", "\udcff\udcfe.gguf", "x" * 250 + ".gguf"])
def test_hostile_names_stay_one_line(daemon: Daemon, gguf: Path, name: str) -> None:
    """A name can neither break a log line nor reach a terminal, and the file is identified all the same."""
    path = gguf.rename(gguf.parent / name)

    cat(path)

    entry = daemon.wait(
        lambda entry: entry["event"] == "model_opened" and str(entry["path"]).startswith(f"{path.parent}/")
    )
    shown = subprocess.run(
        [sys.executable, "-m", "modelwarden", "census", "--state-dir", daemon.state], check=True, capture_output=True
    )
    assert entry["name"] == "tiny-random"
    assert b"\x1b" not in shown.stdout


def test_a_damaged_model_is_a_model_with_a_reason(daemon: Daemon, gguf: Path) -> None:
    """A truncated file is still weights, and the census says what is wrong."""
    os.truncate(gguf, 200)

    cat(gguf)

    assert daemon.opened(gguf)["reason"]


@pytest.mark.parametrize("kind", ["empty", "text", "fifo", "directory", "socket"])
def test_what_only_has_the_name_of_a_model(daemon: Daemon, folder: Path, gguf: Path, kind: str) -> None:
    """Nothing is called a model for its name, and the next real one is seen as before."""
    trap = folder / f"{kind}.gguf"
    match kind:
        case "empty":
            trap.touch()
            cat(trap)
        case "text":
            trap.write_text("Bom dia")
            cat(trap)
        case "fifo":
            os.mkfifo(trap)
            os.close(os.open(trap, os.O_RDONLY | os.O_NONBLOCK))
        case "directory":
            trap.mkdir()
            os.close(os.open(trap, os.O_RDONLY))
        case "socket":
            os.mknod(trap, 0o140600)
    cat(gguf)

    assert daemon.opened(gguf)
    assert [entry for entry in daemon.seen if entry.get("path") == str(trap)] == []


def test_ordinary_files_are_no_models(daemon: Daemon) -> None:
    """Programs, libraries, Python modules and documents read as a whole give no model and no workload."""
    script = (
        "find /usr/bin /usr/sbin /usr/lib/python3 /usr/share/doc /usr/share/zoneinfo /usr/share/vim /usr/lib/gcc "
        "-xdev -type f -exec cat {} + > /dev/null; "
        "find /usr/lib -maxdepth 2 -type f -size +32M -exec cat {} + > /dev/null"
    )
    subprocess.run(["/bin/sh", "-c", script], check=False, stderr=subprocess.DEVNULL)
    time.sleep(2)

    assert [model["path"] for model in daemon.run("census")["models"] if model["path"].startswith("/usr")] == []


def test_loses_nothing(daemon: Daemon, gguf: Path) -> None:
    """Nothing of all this was lost, and the service says that it is ready."""
    cat(gguf)
    daemon.opened(gguf)
    lost = [line for line in daemon.get("/metrics").splitlines() if line.startswith("modelwarden_events_lost_total{")]

    assert lost
    assert all(float(line.split()[-1]) == 0 for line in lost)
    assert daemon.get("/readyz") == daemon.get("/healthz") == "ok\n"
