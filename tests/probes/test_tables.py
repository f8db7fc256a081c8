"""What both sides of the kernel's tables agree on."""

import struct

import pytest

from modelwarden.probes.tables import SIZES, Table, c_source, name_key


@pytest.mark.parametrize(
    ("name", "head", "tail"),
    [
        (b"a", b"a", b"a"),
        (b"7 bytes", b"7 bytes", b"7 bytes"),
        (b"8 bytes!", b"8 bytes!", b"8 bytes!"),
        (b"ld.so.preload", b"ld.so.pr", b".preload"),
        (b"x" * 247 + b"12345678", b"xxxxxxxx", b"12345678"),
    ],
)
def test_a_name_by_its_ends(name: bytes, head: bytes, tail: bytes) -> None:
    """Given a name, then its first and last eight bytes, as the kernel reads them, and its length."""
    assert name_key(name) == struct.pack("<8s8sQ", head, tail, len(name))


@pytest.mark.parametrize("name", [b"", b"a/b", b"a\0b", b"x" * 256])
def test_what_no_file_is_called(name: bytes) -> None:
    """Given what cannot be a file's name, then an error that shows it."""
    with pytest.raises(ValueError, match="is no name of a file"):
        name_key(name)


def test_every_table_has_a_size() -> None:
    """Given the tables, then each says how long its rows are, in whole words where the kernel wants them."""
    assert set(SIZES) == set(Table)
    assert all(key % 4 == 0 and value % 4 == 0 for key, value in SIZES.values())


def test_the_c_side_gets_values_by_name() -> None:
    """Given the enumerations, then each value is a constant of the C side."""
    text = c_source()
    for line in ("#define MARK_OURS 3", "#define KNOWN_MODEL 2", "#define SUFFIX_STRONG 2", "#define LOST_TO_SHARE 1"):
        assert line in text.splitlines()
