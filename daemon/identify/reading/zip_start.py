"""The first member of a zip archive: what tells most archives apart before a long table of contents is read."""

from typing import NamedTuple

from modelwarden.daemon.identify.reading.zip_directory import LOCAL
from modelwarden.daemon.identify.sniffer import Window

NAME_LIMIT = 256


class First(NamedTuple):
    """The name of the first member, and whether it is stored as it is."""

    name: str
    is_stored: bool


def first_member(window: Window) -> First:
    """By the local header at the start of the file, which may say other things than the table."""
    head = window.read(0, LOCAL.size + NAME_LIMIT).ljust(LOCAL.size, b"\0")
    fields = LOCAL.unpack_from(head)
    name = head[LOCAL.size : LOCAL.size + min(int(fields[9]), NAME_LIMIT)]
    return First(name.decode("utf-8", "replace"), fields[3] == 0)
