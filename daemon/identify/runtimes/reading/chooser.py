"""Which of the runtimes a process belongs to, where several recognise it."""

from collections.abc import Iterable

from modelwarden.daemon.identify.runtimes.reading.command_line import command_line
from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import one_of
from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition, Runtime


class Chooser:
    """Asks all runtimes about a process, unless its name has to do with none of them: most programs are such."""

    def __init__(self, runtimes: Iterable[Runtime]) -> None:
        self._runtimes = tuple(runtimes)
        # Who starts programs of any name has to be asked about all.
        families = [one for one in self._runtimes if isinstance(one, Family) and "*" not in one.rare]
        self._always = tuple(one for one in self._runtimes if one not in families)
        self._rare = one_of(pattern for family in families for pattern in family.rare)
        self._titles = tuple(title for family in families for title in family.titles)

    def choose(self, lineage: tuple[Program, ...]) -> tuple[str, Recognition] | None:
        """The name of the runtime that has the strongest reason, with it; then the highest head, then the alphabet.

        `lineage` is the process, its parent and so on, at least one; an empty one belongs to nobody.
        """
        if not lineage:
            return None
        found = (
            (-recognition.strength, -recognition.head, runtime.name, recognition)
            for runtime in (self._runtimes if self._may_be_known(lineage[0]) else self._always)
            if (recognition := runtime.recognises(lineage)) is not None
        )
        best = min(found, key=lambda one: one[:3], default=None)
        return None if best is None else (best[2], best[3])

    def _may_be_known(self, program: Program) -> bool:
        """Whether any family would look closer: what each of them asks first, asked once."""
        line = command_line(program)
        if line.is_python_worker or program.libraries or self._rare.fullmatch(line.name or f"-m {line.module}"):
            return True
        return bool(line.interpreter and line.called.startswith(self._titles))
