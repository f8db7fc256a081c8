"""What the opener gives a worker that may be compromised: documents near the file, and nothing else."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.finding import needs_root
from tests.nearby import around, given_by

from modelwarden.daemon.near import GIVEN, LISTING_BYTES, REFUSED
from modelwarden.daemon.neighbourhood import BLOB_LIMIT, BYTES_LIMIT, FILE_LIMIT, NAMES_LIMIT, REQUESTS_LIMIT

Ask = Callable[[bytes], bytes | None]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file with weights, in a folder of a store."""
    path = tmp_path / "store" / "blobs" / "model"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def ask(model: Path) -> Iterator[Ask]:
    """Asks the neighbourhood of the model."""
    near = around(model)
    yield lambda message: given_by(near, message)
    near.close()


def test_gives_a_document_beside_the_model(model: Path, ask: Ask) -> None:
    """A document in the model's own folder is given."""
    (model.parent / "config.json").write_bytes(b"{}")
    assert ask(b"R 0 1000 config.json") == b"{}"


def test_gives_a_document_above(model: Path, ask: Ask) -> None:
    """A document below a folder above is given, by its name there."""
    manifest = model.parents[1] / "manifests" / "host" / "tiny" / "3.2"
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(b"{}")
    assert ask(b"R 1 1000 manifests/host/tiny/3.2") == b"{}"


def test_lists_names_and_shows_targets(model: Path, ask: Ask) -> None:
    """A listing has the names; a link is its text, wherever it leads."""
    (model.parent / "link").symlink_to("/etc/shadow")
    assert sorted((ask(b"N 0 ") or b"").split(b"\0")) == [b"", b"link", b"model"]
    assert ask(b"N 1 blobs") == ask(b"N 0 ")
    assert ask(b"T 0 link") == b"/etc/shadow"
    assert ask(b"T 0 model") is None


@pytest.mark.parametrize(
    "name",
    [
        "config.json", "main.md", "a.yaml", "a.yml", "m.XML", "a.txt", "a.ini", "variables.index", "refs/main",
        "refs/a/b", "manifests/x/y.z", "sha256-" + "a" * 64, "b" * 64, "c" * 40,
    ],
)  # fmt: skip
def test_document_names(model: Path, ask: Ask, name: str) -> None:
    """Documents, tags and small blobs are given."""
    (model.parent / name).parent.mkdir(parents=True, exist_ok=True)
    (model.parent / name).write_bytes(b"text")
    assert ask(f"R 0 9 {name}".encode()) == b"text"


@pytest.mark.parametrize(
    "name",
    [
        "model", "id_rsa", "a.json.key", "a.pem", "json", "refs", "A" * 64, "b" * 63, ".json", ".env.txt",
        ".ssh/config.json", "a/.git/config.txt", "x.py",
    ],
)  # fmt: skip
def test_other_names(model: Path, ask: Ask, name: str) -> None:
    """Other files and whatever is hidden are refused."""
    (model.parent / name).parent.mkdir(parents=True, exist_ok=True)
    (model.parent / name).write_bytes(b"text")
    assert ask(f"R 0 9 {name}".encode()) is None


@pytest.mark.parametrize(
    "name",
    [
        "../config.json", "../../config.json", "a/../../config.json", "/etc/config.json", "", ".", "..",
        "a//config.json", "./config.json", "config.json/", "config.json\0", "/etc/shadow", "x" * 5000 + ".json",
    ],
)  # fmt: skip
@pytest.mark.parametrize("letter", ["R 0 1000", "N 0", "T 0"])
def test_ways_out(model: Path, ask: Ask, letter: str, name: str) -> None:
    """Names that lead up, from the root, or are no names are refused; only the folder itself is listed without one."""
    for folder in (model.parent, *model.parent.parents[:3]):
        (folder / "config.json").write_bytes(b"out")
    answer = ask(f"{letter} {name}".encode())
    assert answer is None or (letter, name) == ("N 0", "")


@pytest.mark.parametrize("target", ["real.json", "/etc/passwd", "../secret.json"])
def test_links_are_not_followed(model: Path, ask: Ask, target: str) -> None:
    """A symbolic link is refused as a file, as a folder, and on the way."""
    (model.parent / "real.json").write_bytes(b"{}")
    (model.parents[1] / "secret.json").write_bytes(b"{}")
    (model.parent / "link.json").symlink_to(target)
    (model.parent / "up").symlink_to("..")
    assert ask(b"R 0 1000 link.json") is None
    assert ask(b"R 0 1000 up/secret.json") is None
    assert ask(b"N 0 up") is None
    assert ask(b"T 0 up/blobs/link.json") is None


@pytest.mark.root
@needs_root
def test_what_is_no_file(model: Path, ask: Ask) -> None:
    """FIFOs, devices, sockets and folders are refused, and none of them is opened."""
    os.mkfifo(model.parent / "fifo.json")
    os.mknod(model.parent / "null.json", 0o20666, os.makedev(1, 3))
    (model.parent / "folder.json").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(model.parent / "socket.json"))
        for name in (b"fifo", b"null", b"folder", b"socket"):
            assert ask(b"R 0 1000 %b.json" % name) is None
    assert ask(b"N 0 fifo.json") is None


@pytest.mark.parametrize(
    ("name", "size", "limit", "is_given"),
    [
        ("a.json", 10, 10, True),
        ("a.json", 11, 10, False),
        ("a.json", FILE_LIMIT, 999_999_999, True),
        ("a.json", FILE_LIMIT + 1, 999_999_999, False),
        ("a" * 64, BLOB_LIMIT, 999_999_999, True),
        ("a" * 64, BLOB_LIMIT + 1, 999_999_999, False),
    ],
)
def test_sizes(model: Path, ask: Ask, name: str, size: int, limit: int, is_given: bool) -> None:
    """A document larger than what is asked for, or than documents are, is refused."""
    (model.parent / name).touch()
    os.truncate(model.parent / name, size)
    assert (ask(b"R 0 %d %b" % (limit, name.encode())) is not None) == is_given


def test_bytes_have_an_end(model: Path) -> None:
    """The documents of one model have so many bytes in all."""
    (model.parent / "a.json").touch()
    os.truncate(model.parent / "a.json", FILE_LIMIT)
    near = around(model)
    given = 0
    while given <= BYTES_LIMIT:
        _, descriptor = near.answer(b"R 0 999999999 a.json")
        if descriptor < 0:
            break
        os.close(descriptor)
        given += FILE_LIMIT
    assert given == BYTES_LIMIT
    near.close()


def test_requests_have_an_end(model: Path) -> None:
    """So many requests, then none is answered."""
    near = around(model)
    near._deadline = float("inf")
    answers = [given_by(near, b"N 0 ") is not None for _ in range(REQUESTS_LIMIT + 1)]
    assert answers == [True] * REQUESTS_LIMIT + [False]
    near.close()


def test_time_has_an_end(model: Path) -> None:
    """After its time the opener looks at nothing."""
    near = around(model)
    near._deadline = 1e-9
    assert given_by(near, b"N 0 ") is None


def test_listings_have_an_end(model: Path, ask: Ask) -> None:
    """A folder with names without end gives so many of them, whole ones, in so many bytes."""
    for number in range(NAMES_LIMIT + 10):
        (model.parent / f"{number:05}").touch()
    assert (ask(b"N 0 ") or b"").count(b"\0") == NAMES_LIMIT
    for number in range(400):
        (model.parent / f"{number:0200}").touch()
    listing = ask(b"N 0 ") or b""
    assert len(listing) <= LISTING_BYTES
    assert listing.endswith(b"\0")


@given(st.binary(max_size=60) | st.tuples(st.sampled_from([b"R", b"N", b"T", b"P", b"E"]), st.binary()).map(b" ".join))
def test_survives_any_message(message: bytes) -> None:
    """Whatever a worker says, the answer is an answer."""
    near = around(Path("/etc/hostname"))
    answer, descriptor = near.answer(message)
    assert answer[:1] in {GIVEN, REFUSED}
    if descriptor >= 0:
        os.close(descriptor)
    near.close()
