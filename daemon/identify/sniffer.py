"""The contract of a file format, and the order in which formats are asked what a file is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from modelwarden.daemon.identify.reading.folder import Folder

HEAD_BYTES = 64
"""How much of the start of a file a format sees when it is asked whether it recognises it."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of a model a file is: number `index` (from 1) of `count`."""

    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What a model file says of itself: claims of the file, `None` where it says nothing."""

    format: str
    """The format's name, such as `gguf`, `safetensors`, `pytorch-zip`."""
    name: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    """Weights in the file (a shard counts its own)."""
    quantization: str | None = None
    """The field's own term: `Q4_K_M`, `F16`, `BF16`."""
    license: str | None = None
    problem: str | None = None
    """Why the file could be read in part only, in words for a person; `None` when all was well."""
    tensor_types: tuple[tuple[str, int], ...] = ()
    """How the weights are stored, (type, number of weights), most weights first."""
    shard: Shard | None = None
    """Set when the file, or an index beside it, says that it is one of several."""
    generic: bool = False
    """The content alone does not make it a model (an array, a pickle of plain objects): it is one only in the hands
    of a program that does machine learning."""


class Window(Protocol):
    """A bounded view of one open file: positioned reads within a budget of bytes."""

    @property
    def size(self) -> int:
        """The size of the file in bytes when it was opened."""
        ...

    @property
    def name(self) -> str:
        """The last component of the path by which it was opened: a claim, empty when it is not known."""
        ...

    @property
    def beside(self) -> Folder:
        """The folder that the file lies in, for formats that are more than one file."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`, short at the end of the file.

        Raises `BudgetSpentError` when the budget of the whole inspection does not allow it.
        """
        ...


class BudgetSpentError(Exception):
    """A format asked for more of a file than an inspection may read."""


class Format(Protocol):
    """One file format; its module ends in `FORMAT: Format = …`."""

    @property
    def name(self) -> str:
        """The name that the census shows."""
        ...

    def recognises(self, head: bytes, size: int) -> bool:
        """Whether the first `HEAD_BYTES` bytes of a file of `size` bytes can be this format."""
        ...

    def identify(self, window: Window) -> Identity | None:
        """The identity, `None` when the file is not of this format after all.

        Never raises for what a file holds: a damaged file of this format is an `Identity` with a
        `problem`. May let `BudgetSpentError` pass.
        """
        ...


def sniff(window: Window, formats: Iterable[Format]) -> Identity | None:
    """The identity by the first format that recognises the content, `None` when it is no model."""
    head = window.read(0, HEAD_BYTES)
    for candidate in formats:
        if not candidate.recognises(head, window.size):
            continue
        try:
            identity = candidate.identify(window)
        except BudgetSpentError:
            return Identity(candidate.name, problem="its header is larger than an inspection reads")
        if identity is not None:
            return identity
    return None
