"""Names in the path of a cgroup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.daemon.identify.containers.reading.cgroup import PARTS_MAX, parts, unescaped


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("my\\x2dapp", "my-app"),
        ("caf\\xc3\\xa9", "café"),
        ("_cgroup.x", "cgroup.x"),
        ("\\x", "\\x"),
        ("\\xZZ", "\\xZZ"),
        ("\\xff", "\ufffd"),
    ],
)
def test_undoes_escapes(name: str, plain: str) -> None:
    """Escapes are bytes; what is none stays."""
    assert unescaped(name) == plain


@given(st.text())
def test_any_name_has_a_plain_form(name: str) -> None:
    """Nothing makes it fail or grow."""
    assert len(unescaped(name)) <= len(name)


def test_deep_paths_are_cut() -> None:
    """The innermost names remain."""
    assert parts("/a" * 1000 + "/b") == ("a",) * (PARTS_MAX - 1) + ("b",)
    assert parts("/../../a//b") == ("a", "b")
