"""Which of the runtimes a process belongs to, where several recognise it."""

from collections.abc import Iterable

from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition, Runtime


def choose(runtimes: Iterable[Runtime], lineage: tuple[Program, ...]) -> tuple[str, Recognition] | None:
    """The name of the runtime that has the strongest reason, with it; then the highest head, then the alphabet.

    `lineage` is the process, its parent and so on, at least one; an empty one belongs to nobody.
    """
    found = (
        (-recognition.strength, -recognition.head, runtime.name, recognition)
        for runtime in runtimes
        if lineage and (recognition := runtime.recognises(lineage)) is not None
    )
    best = min(found, key=lambda one: one[:3], default=None)
    return None if best is None else (best[2], best[3])
