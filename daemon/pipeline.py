"""The core on one screen: an event goes in, commands come out, in order, with no clock, disk, thread or socket."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from modelwarden.daemon.alerts.alert import Alert, Evidence
from modelwarden.daemon.alerts.correlate import Correlator, alert_id
from modelwarden.daemon.alerts.recall import recall_alerts
from modelwarden.daemon.command import Announce, Command, FindProcess
from modelwarden.daemon.documents import actor_document, model_document, user_name
from modelwarden.daemon.event import FileInspected, Remembered, Stopping
from modelwarden.daemon.identify.containers.engine import Engine
from modelwarden.daemon.identify.runtimes.runtime import Runtime
from modelwarden.daemon.model.changes import Changes
from modelwarden.daemon.model.hashes import Hashes
from modelwarden.daemon.model.life import Life
from modelwarden.daemon.model.programs import Programs
from modelwarden.daemon.model.sight import Sight
from modelwarden.daemon.model.weights import Weights
from modelwarden.daemon.model.world import ModelUsed, Outcome, World
from modelwarden.daemon.rules.rule import Finding, Rule
from modelwarden.probes.event import Event
from modelwarden.probes.sampled.tick import Tick

RULE_ERRORS_MAX = 5
"""After so many errors a rule is switched off; the others go on."""


UNNAMED_MAX = 1_024
"""Uses that may wait for the name of a user; more than these are told with the number."""


class Core:
    """All thinking. `step` is its only way in; everything else is there to be read."""

    def __init__(self, rules: Iterable[Rule], runtimes: Iterable[Runtime] = (), engines: Iterable[Engine] = ()) -> None:
        self.world = World(tuple(runtimes), tuple(engines))
        self.hashes = Hashes(self.world)
        parts = (
            Life(self.world),
            Programs(self.world),
            Weights(self.world, self.hashes),
            self.hashes,
            Changes(self.world),
            Sight(self.world),
        )
        self._handlers: dict[type[Event], list[Callable[[Any], Outcome | None]]] = {}
        for part in parts:
            for kind, take in part.handlers().items():
                self._handlers.setdefault(kind, []).append(take)
        self.correlator = Correlator()
        self._unnamed: list[ModelUsed] = []
        self.rules = list(rules)
        self.rule_errors: Counter[str] = Counter()
        self.events: Counter[type[Event]] = Counter()
        self.inspections: Counter[str] = Counter()
        self.raised: Counter[tuple[str, str]] = Counter()

    def step(self, event: Event) -> list[Command]:
        """Model, then rules, then alerts; the commands in the order in which they follow from the event."""
        self.events[type(event)] += 1
        uses, commands = self._apply(event)
        uses = self._named(event, uses)
        for used in uses:
            if used.first:
                commands.append(self._announce(used))
            for rule in self.rules:
                commands += self._judge(rule, used)
        if isinstance(event, Tick):
            commands += self.correlator.flush(event.at)
        elif isinstance(event, Stopping):
            commands += self.correlator.flush()
        elif isinstance(event, Remembered):
            self.correlator.restore(recall_alerts(event.alerts))
        elif isinstance(event, FileInspected):
            self.inspections[event.outcome.value] += 1
        return commands

    def _apply(self, event: Event) -> Outcome:
        """The parts that take it hear it one after the other: what one has learned the next ones know."""
        takers = self._handlers.get(type(event))
        if takers is None:
            raise TypeError(f"no part of the model takes {type(event).__name__}")
        uses: list[ModelUsed] = []
        commands: list[Command] = []
        for take in takers:
            if outcome := take(event):
                uses += outcome[0]
                commands += outcome[1]
        while self.world.processes.strangers:
            commands.append(FindProcess(self.world.processes.strangers.pop()))
        return uses, commands

    def _named(self, event: Event, uses: list[ModelUsed]) -> list[ModelUsed]:
        """The uses that can be told now: those of users whose names are asked for wait, a second at the longest."""
        if not (self._unnamed or self.world.naming):
            return uses
        waiting = [*self._unnamed, *uses]
        is_over = isinstance(event, Tick | Stopping) or len(waiting) > UNNAMED_MAX
        asked = frozenset() if is_over else frozenset(self.world.naming)
        self._unnamed = [used for used in waiting if not asked.isdisjoint(_users(used))]
        return [used for used in waiting if asked.isdisjoint(_users(used))]

    def _judge(self, rule: Rule, used: ModelUsed) -> list[Command]:
        name = rule.about.name
        if self.rule_errors[name] >= RULE_ERRORS_MAX:
            return []
        try:
            finding = rule.judge(used, self.world)
        except Exception as error:  # noqa: BLE001 - the one guard around rules: one that fails must not stop the others
            self.rule_errors[name] += 1
            last = self.rule_errors[name] >= RULE_ERRORS_MAX
            return [Announce("rule_failed", (("rule", name), ("error", repr(error)), ("switched_off", int(last))))]
        if finding is None:
            return []
        raised: list[Command] = []
        for one in self.correlator.merge(self._alert(rule, used, finding), used.at):
            self.raised[name, one.alert.severity.value] += one.is_new
            raised.append(one)
        return raised

    def _alert(self, rule: Rule, used: ModelUsed, finding: Finding) -> Alert:
        about, world = rule.about, self.world
        wall_ns = world.wall_ns(used.at)
        return Alert(
            id=alert_id(world.host_id, used.workload.id, about.name, finding.subject),
            rule=about.name,
            severity=about.severity,
            title=about.title,
            tier=None,
            host_id=world.host_id,
            workload=used.workload.id,
            subject=finding.subject,
            model=model_document(used.model),
            process=actor_document(used.process, world.processes, world.users),
            techniques=about.techniques,
            evidence=(Evidence(wall_ns, finding.what),),
            count=used.count,
            first_seen_ns=wall_ns,
            last_seen_ns=wall_ns,
            what_to_do=about.what_to_do,
        )

    def _announce(self, used: ModelUsed) -> Announce:
        model, process, users = model_document(used.model), used.process, self.world.users
        shown = ("name", "format", "architecture", "parameters", "quantization", "size", "path", "reason")
        return Announce(
            "model_opened",
            (
                *((key, model[key]) for key in shown),
                ("exe", process.path),
                ("pid", process.pid),
                ("user", user_name(users, process.uid)),
                ("login_user", user_name(users, process.login_uid)),
                ("workload", used.workload.id),
            ),
        )


def _users(used: ModelUsed) -> tuple[int, int]:
    return used.process.uid, used.process.login_uid
