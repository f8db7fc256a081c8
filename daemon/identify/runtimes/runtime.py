"""The contract of a runtime: what is known of a program, and whether it belongs to this family."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Program:
    """What is known of one process. Names and arguments are claims: any program can call itself anything."""

    path: str | None
    """The executable, as its mount namespace has it."""
    arguments: tuple[str, ...] = ()
    """As they were at exec."""
    libraries: frozenset[str] = frozenset()
    """File names of the machine-learning libraries that it has loaded: `libllama.so`."""
    unit: str | None = None
    """The systemd unit that it runs in."""
    image: str | None = None
    """The image of the container that it runs in."""

    @property
    def name(self) -> str:
        """The last component of the executable's path, empty when that is not known."""
        return (self.path or "").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Recognition:
    """Why a process belongs to a runtime."""

    evidence: str
    """For a person: `llama-server started by ollama serve`."""
    head: int = 0
    """How many generations above the process the runtime's first process is: 0 for itself, 1 for its parent."""
    strength: int = 1
    """Of several runtimes that recognise a process the strongest counts, then the one with the higher head: 1 the name
    and the shape of the arguments, 2 a name with a second sign (library, parent, unit), 3 nothing else looks so."""


class Runtime(Protocol):
    """One program family; its module ends in `RUNTIME: Runtime = …`. Pure. A port or a name alone proves nothing."""

    @property
    def name(self) -> str:
        """As the census and policies call it: `ollama`, `llama.cpp`, `vllm`."""
        ...

    @property
    def libraries(self) -> tuple[str, ...]:
        """How the file names of its own libraries begin (`libllama.so`); who loads one does machine learning.

        Each is eight characters or longer: the kernel compares that many.
        """
        ...

    def recognises(self, lineage: tuple[Program, ...]) -> Recognition | None:
        """Whether the first program of the lineage (the process, its parent, …, at least one) belongs to it."""
        ...
