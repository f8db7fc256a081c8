"""The exception by which a parser says that a file breaks the rules of its format."""

CUT_SHORT = "the file ends in the middle of its header"


class Damaged(Exception):  # noqa: N818  (a verdict on a file, not a fault of ours)
    """A file is not what its first bytes promise; the message is for a person."""


class EndsEarly(Damaged):
    """The data ends before what was begun: a download that stopped, or the edge of the part that is read."""
