"""Makes a core with all the rules, runtimes and container engines that there are."""

from typing import cast

from modelwarden.daemon.identify.containers.engine import Engine
from modelwarden.daemon.identify.runtimes.runtime import Runtime
from modelwarden.daemon.pipeline import Core
from modelwarden.daemon.rules.rule import Rule
from modelwarden.probes.discover import discover

_IDENTIFY = "modelwarden.daemon.identify"


def make_core() -> Core:
    """A core that has heard nothing yet: the same for the daemon and for a replay."""
    rules = cast("tuple[Rule, ...]", discover("modelwarden.daemon.rules", "RULE", skip=("rule",)))
    engines = cast("tuple[Engine, ...]", discover(f"{_IDENTIFY}.containers", "ENGINE", skip=("engine",)))
    return Core(rules, runtimes(), engines)


def runtimes() -> tuple[Runtime, ...]:
    """All runtimes: the probes have to know the names of their libraries."""
    return cast("tuple[Runtime, ...]", discover(f"{_IDENTIFY}.runtimes", "RUNTIME", skip=("runtime",)))
