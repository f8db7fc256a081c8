"""Where in a path a store begins, and where links lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.daemon.identify.origins.origin import Location
from modelwarden.daemon.identify.origins.reading.paths import after, below, followed


def test_the_last_store_counts() -> None:
    """Given a store inside a store, then the inner one is meant."""
    assert after("/a/.x/models/b/.x/models/c/m", ".x", "models") == Location(1, "c/m")


def test_a_folder_is_not_below_itself() -> None:
    """Given the folder itself, or one whose name only begins alike, then it is not below."""
    assert below("/data", ("/data",)) is None
    assert below("/database/m", ("/data",)) is None
    assert below("/data/m", (None, "", "/", "/data/")) == Location(0, "m")


@pytest.mark.parametrize(
    ("link", "target", "found"),
    [
        ("a/b/c", "../../blobs/x", "blobs/x"),
        ("a/b", "./c", "a/c"),
        ("a/b", "../../x", None),
        ("a/b", "/x", None),
        ("a/b", None, None),
        ("a/b", "", "a"),
    ],
)
def test_links_are_followed_as_text(link: str, target: str | None, found: str | None) -> None:
    """A link leads below the folder or nowhere."""
    assert followed(link, target) == found


@given(st.text(), st.text())
def test_no_link_leads_out(link: str, target: str) -> None:
    """Whatever link and target say, the result has no way up."""
    assert ".." not in (followed(link.replace("..", ""), target) or "").split("/")
