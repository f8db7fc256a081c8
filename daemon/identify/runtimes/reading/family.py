"""A program family as data: how it is started, what it loads, and which other processes belong to it.

Nothing here takes a name for proof. A name needs arguments of the right shape, or a second sign: a library, the
unit, the image of the container, a parent of the family.
"""

import re
from dataclasses import dataclass, field

from modelwarden.daemon.identify.runtimes.reading.command_line import CommandLine, command_line
from modelwarden.daemon.identify.runtimes.reading.launch import SHOWN_MAX, Launch, one_of
from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition

GENERATIONS_MAX = 16
TORCH = ("libtorch_cpu.so", "libtorch_cuda", "libtorch_python.so", "libtorch.so", "libtorch_hip")
"""What a family that computes with PyTorch has loaded: a second sign for its name, none by itself."""
GGML = ("libllama.so", "libggml.so", "libggml-")
"""The same for what is built on llama.cpp."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What speaks for one program, its parents left aside."""

    seen: str
    """For a person."""
    strength: int
    """As of `Recognition`."""
    is_named: bool
    """Whether a name is part of it, so that a parent of the family makes it stronger."""


@dataclass(frozen=True, slots=True)
class Family:
    """A `Runtime` made of a few facts."""

    name: str
    launches: tuple[Launch, ...] = ()
    names: tuple[str, ...] = ()
    """Programs that need no argument: they count beside a second sign, and as parents of what belongs to the family."""
    libraries: tuple[str, ...] = ()
    """Its own: whoever has loaded one belongs to it."""
    by_library: int = 1
    """How strong a sign that is alone: 2 when it tells more than the general libraries beside it."""
    needs_interpreter: bool = False
    """Whether that holds for interpreters only."""
    supporting: tuple[str, ...] = ()
    """Beginnings of the names of others' libraries that it uses."""
    titles: tuple[str, ...] = ()
    """How the titles begin that its processes give themselves (setproctitle)."""
    images: tuple[str, ...] = ()
    """Parts of the names of its images, from one slash to another: `ollama/ollama`."""
    units: tuple[str, ...] = ()
    """Of systemd."""
    engines: tuple[Launch, ...] = ()
    """Programs of others that belong to it where one of the family started them, and in containers of its images."""

    rare: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """Names that this family has to do with: without one of them, a title or a library nobody is of it."""
    _rare: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ways = (*self.launches, *self.engines)
        names = (*self.names, *(name for launch in ways for name in launch.names))
        modules = (module for launch in ways for module in launch.modules)
        object.__setattr__(self, "rare", (*names, *(f"-m {module}*" for module in modules)))
        object.__setattr__(self, "_rare", one_of(self.rare))

    def recognises(self, lineage: tuple[Program, ...]) -> Recognition | None:
        """As the contract says: the family reaches up as far as each generation belongs to it."""
        if not lineage:
            return None
        line = command_line(lineage[0])
        if not self._may_be(lineage[0], line):
            return None
        own = self._sign(lineage[0], line)
        if own is None and not line.is_python_worker and not self._is_engine(line):
            return None
        head, above = self._head(lineage)
        if above is None:
            return None
        if own is not None and head == 0:
            return Recognition(own.seen, strength=own.strength)
        # A name with a parent of the family is two signs; a library proves no more for being in both.
        sign = own or above
        strength = max(sign.strength, 2) if sign.is_named else sign.strength
        what = own.seen if own else "a Python worker" if line.is_python_worker else line.name[:SHOWN_MAX]
        return Recognition(f"{what}, started by {above.seen}", head, strength)

    def _may_be(self, program: Program, line: CommandLine) -> bool:
        """Whether it is worth a closer look: a program that starts is asked about by every family."""
        if line.is_python_worker or (self.libraries and program.libraries):
            return True
        if self._rare.fullmatch(line.name or f"-m {line.module}"):
            return True
        return bool(self.titles and line.interpreter and line.called.startswith(self.titles))

    def _head(self, lineage: tuple[Program, ...]) -> tuple[int, Sign | None]:
        """How far up, without a stranger between, somebody belongs to the family, with what speaks for him."""
        head, above = 0, None
        for generation, program in enumerate(lineage[:GENERATIONS_MAX]):
            line = command_line(program)
            sign = self._sign(program, line)
            if sign is None and generation and line.name in self.names:
                sign = Sign(line.name, 1, is_named=True)
            if sign is not None:
                head, above = generation, sign
            elif not line.is_python_worker and not self._is_engine(line):
                break
        return head, above

    def _is_engine(self, line: CommandLine) -> bool:
        return any(engine.sign(line) for engine in self.engines)

    def _sign(self, program: Program, line: CommandLine) -> Sign | None:
        library = loaded(program, self.libraries)
        second = self._second(program, library)
        how, is_unmistakable = self._start(line)
        if how:
            strength = 3 if is_unmistakable else 2 if second else 1
            return Sign(f"{how}, {second}" if second else how, strength, is_named=True)
        if second and (line.name in self.names or any(launch.fits_name(line) for launch in self.launches)):
            return Sign(f"{line.name[:SHOWN_MAX]}, {second}", 2, is_named=True)
        if self.images and self._is_engine(line) and (image := in_image(program, self.images)):
            return Sign(f"{line.name[:SHOWN_MAX]}, in a container of {image}", 3, is_named=True)
        if library and (line.interpreter or not self.needs_interpreter):
            return Sign(f"{program.name[:SHOWN_MAX] or 'a program'}, with {library}", self.by_library, is_named=False)
        return None

    def _start(self, line: CommandLine) -> tuple[str, bool]:
        """How it was started, empty when not as the family is, and whether nothing else looks so."""
        for launch in self.launches:
            if how := launch.sign(line):
                return how, launch.is_unmistakable
        if self.titles and line.interpreter and line.called.startswith(self.titles):
            return line.called[:SHOWN_MAX], False
        return "", False

    def _second(self, program: Program, library: str) -> str:
        library = library or loaded(program, self.supporting)
        if library:
            return f"with {library}"
        if program.unit in self.units:
            return f"in {program.unit}"
        image = in_image(program, self.images)
        return f"in a container of {image}" if image else ""


def loaded(program: Program, prefixes: tuple[str, ...]) -> str:
    """The first, by name, of a program's libraries that begin like one of these; empty when there is none."""
    if not program.libraries or not prefixes:
        return ""
    return min((name for name in program.libraries if name.startswith(prefixes)), default="")[:SHOWN_MAX]


def in_image(program: Program, images: tuple[str, ...]) -> str:
    """Which of the images a program's container is made of, tags and digests aside; empty when none."""
    if not program.image or not images:
        return ""
    folder, slash, last = program.image.partition("@")[0].rpartition("/")
    repository = f"/{folder}{slash}{last.partition(':')[0]}/"
    return next((image for image in images if f"/{image}/" in repository), "")
