"""llamafile: a program with its model inside, run by itself or by the loader of portable executables.

Source: `llamafile/flags.cpp` and README of mozilla-ai/llamafile; cosmopolitan's `ape/loader.c`: the format is known to
few kernels, so that a shell starts the loader (`~/.ape-1.10`), or the kernel one that is registered (`/usr/bin/ape`).
"""

from modelwarden.daemon.identify.runtimes.reading.command_line import command_line
from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition, Runtime

_OPTIONS = ("--server", "--chat", "--cli", "--nobrowser", "-m", "--model", "-ngl", "-p", "--v2", "--embedding", "-l")
_STARTED = Family(
    name="llamafile",
    launches=(
        Launch(names=("*.llamafile",), options=_OPTIONS),
        Launch(names=("llamafile", "llamafiler"), options=("-m", "--model")),
    ),
)


class Llamafile:
    """Files called `*.llamafile`: most are started without any argument, so that the loader is the other sign."""

    name = "llamafile"
    libraries: tuple[str, ...] = ()

    def recognises(self, lineage: tuple[Program, ...]) -> Recognition | None:
        """By the shape of the arguments, or by the loader."""
        line = command_line(lineage[0]) if lineage else None
        if line is not None and line.loader and line.name.endswith(".llamafile"):
            return Recognition(f"{line.name[:80]}, started by the loader {line.loader[:80]}", strength=2)
        return _STARTED.recognises(lineage)


RUNTIME: Runtime = Llamafile()
