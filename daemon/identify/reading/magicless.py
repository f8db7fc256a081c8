"""Which files a format without a magic number must leave alone, whatever their name is."""


def runs_code(head: bytes) -> bool:
    """Whether a file begins like a pickle or a zip archive.

    Loading these can run code. A name, or a file laid beside it, must not make such a file look like plain numbers.
    """
    return head[:4] == b"PK\3\4" or (head[:1] == b"\x80" and head[1:2] in {b"\1", b"\2", b"\3", b"\4", b"\5"})
