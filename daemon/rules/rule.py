"""The contract of a rule: what it is called, what it means, and the pure question that it answers."""

from dataclasses import dataclass
from typing import Protocol

from modelwarden.daemon.alerts.alert import Severity
from modelwarden.daemon.model.world import ModelUsed, World


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule found something out; findings about one subject of one workload become one alert."""

    subject: str
    """What it is about, within the workload: stable, so that it can be found again."""
    what: str
    """The evidence in one sentence."""


@dataclass(frozen=True, slots=True)
class About:
    """What people need to know of a rule; `docs` and `modelwarden rules show` are made from it."""

    name: str
    """What is true when it fires."""
    severity: Severity
    title: str
    description: str
    techniques: tuple[str, ...]
    """MITRE ATLAS and ATT&CK identifiers."""
    false_positives: tuple[str, ...]
    what_to_do: str


class Rule(Protocol):
    """One built-in detection; its module ends in `RULE: Rule = …`. Rules hold no state: the world does."""

    @property
    def about(self) -> About:
        """Constant."""
        ...

    def judge(self, used: ModelUsed, world: World) -> Finding | None:
        """What this use of a model amounts to, `None` when it is nothing."""
        ...
