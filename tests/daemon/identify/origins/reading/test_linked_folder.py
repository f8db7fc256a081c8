"""A snapshot of links is read as the folder that its users see."""

from tests.models import Shelf

from modelwarden.daemon.identify.origins.reading.linked_folder import LinkedFolder

STORE = Shelf(
    {"m/blobs/aa": b"linked", "m/snapshots/c/plain.txt": b"plain", "secret": b"x"},
    {
        "m/snapshots/c/config.json": "../../blobs/aa",
        "m/snapshots/c/out": "../../../../etc",
        "m/snapshots/c/a": "/secret",
    },
)
FOLDER = LinkedFolder(STORE, "m/snapshots/c")


def test_reads_through_a_link() -> None:
    """One step, below the store."""
    assert FOLDER.read("config.json") == b"linked"


def test_reads_what_is_no_link() -> None:
    """Some file systems have none."""
    assert FOLDER.read("plain.txt") == b"plain"


def test_follows_nothing_out_of_the_store() -> None:
    """Neither by steps upwards nor by an absolute path."""
    assert FOLDER.read("out") is None
    assert FOLDER.read("a") is None


def test_lists_and_tells_links() -> None:
    """Names and targets are those of the folder."""
    assert FOLDER.names() == ("a", "config.json", "out", "plain.txt")
    assert FOLDER.target("config.json") == "../../blobs/aa"
