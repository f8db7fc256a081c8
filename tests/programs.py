"""Programs and lineages as the recognisers of runtimes get them."""

from modelwarden.daemon.identify.runtimes.runtime import Program, Runtime

PYTHON = "/usr/bin/python3.11"
TORCH = frozenset({"libtorch_cpu.so", "libtorch_cuda.so"})
SPAWN = "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, pipe_handle=7)"
SHELL = Program("/usr/bin/bash", ("-bash",))


def native(path: str, line: str = "", *libraries: str, unit: str | None = None, image: str | None = None) -> Program:
    """An executable with the arguments of a line, split at blanks."""
    return Program(path, (path, *line.split()), frozenset(libraries), unit, image)


def python(line: str, *libraries: str, called: str = "python3", image: str | None = None) -> Program:
    """Python with the arguments of a line, split at blanks."""
    return Program(PYTHON, (called, *line.split()), frozenset(libraries), None, image)


def titled(title: str, *libraries: str) -> Program:
    """A Python process that gave itself a title."""
    return Program(PYTHON, (title,), frozenset(libraries))


def worker(*libraries: str) -> Program:
    """A process that Python's multiprocessing started anew."""
    return Program(PYTHON, ("python3", "-c", SPAWN, "--multiprocessing-fork"), frozenset(libraries))


def found(runtime: Runtime, *lineage: Program) -> tuple[int, int] | None:
    """(head, strength) of what a runtime says of the first program, `None` when it does not know it."""
    recognition = runtime.recognises(lineage)
    if recognition is None:
        return None
    assert recognition.evidence
    return recognition.head, recognition.strength


Case = tuple[tuple[Program, ...], int, int]
"""A lineage, with the head and the strength that a runtime says of it."""


def known_by(library: str) -> list[Case]:
    """Programs that a library alone makes a runtime's: whatever program, and workers of one."""
    script = python("script.py", library)
    return [
        ((script,), 0, 1),
        ((native("/opt/app", "", library),), 0, 1),
        ((worker(), script, SHELL), 1, 1),
        ((worker(library), script, SHELL), 1, 1),
    ]


def not_known_by(library: str, name: str, other: str) -> list[tuple[Program, ...]]:
    """Programs that have nothing but the runtime's name, an argument, `other` library, or a parent that is one."""
    return [
        (python("script.py"),),
        (python(f"{name}.py {library}"),),
        (python("script.py", other),),
        (native(f"/tmp/{name}", ""),),
        (native("/usr/bin/id", ""), python("script.py", library)),
    ]
