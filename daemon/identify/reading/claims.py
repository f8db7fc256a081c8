"""What a file says of itself, cut to what may be shown or stored."""

from collections.abc import Mapping

TEXT_LIMIT = 200
"""The longest claim in characters: names, licences and architectures of real models stay far below."""
PARAMETERS_LIMIT = 10**15
"""More weights than this no model has; a larger claim is a lie or a bug."""
TYPES_LIMIT = 32
"""Types of weights in one file that are told; real models mix a handful."""
TOO_MANY_PARAMETERS = "it claims more parameters than any model has"


def text(value: object) -> str | None:
    """A claim as text that can be encoded, without outer blanks: `None` when it says nothing.

    Control characters stay: what writes the text out escapes it.
    """
    if isinstance(value, bytes):
        value = value[: TEXT_LIMIT * 4].decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    # JSON may hold lone surrogates, which no encoder downstream takes.
    cut = value[:TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")
    return cut.strip() or None


def parameters(count: int) -> int | None:
    """The count when it is one that a model can have."""
    return count if 0 < count <= PARAMETERS_LIMIT else None


def dominant(weights: Mapping[str, int]) -> str | None:
    """The key that most weights have, the first in the alphabet where two have as many."""
    return min(weights, key=lambda key: (-weights[key], key)) if weights else None


def most_first(weights: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """The types with their weights, most weights first, in the order of the alphabet where two have as many."""
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:TYPES_LIMIT]
    return tuple((text(kind) or "?", count) for kind, count in ordered if count > 0)


def cut_short(has: int, needs: int) -> str:
    """The problem of a download that stopped: sizes in bytes."""
    return f"the file is cut short: it has {has} of the {needs} bytes that its header promises"
