"""Merges findings into alerts that grow: one for each workload, rule and subject."""

import hashlib
from collections import OrderedDict
from dataclasses import replace

from modelwarden.daemon.alerts.alert import Alert, Evidence
from modelwarden.daemon.command import Raise

LIMIT = 8_192
EVIDENCE_FIRST, EVIDENCE_LAST = 8, 8
"""How much of the timeline is kept: how it began, how it stands."""
GROWTH_INTERVAL_NS = 5 * 1_000_000_000
"""A new alert is raised at once; one that grows is told again at most once in this time."""


def alert_id(host_id: str, workload: str, rule: str, subject: str) -> str:
    """Stable: the same finding has the same identifier after a restart."""
    what = f"{host_id}\0{workload}\0{rule}\0{subject}"
    return "a-" + hashlib.sha256(what.encode(errors="surrogateescape")).hexdigest()[:12]


class Correlator:
    """At most `LIMIT` alerts; the one that grew longest ago leaves first, and is counted."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._alerts: OrderedDict[str, Alert] = OrderedDict()
        self._grown: dict[str, int] = {}
        """Alerts that grew and were not told, with the time from when on they may be."""
        self._told_at: dict[str, int] = {}
        self.evicted = 0

    def restore(self, alerts: list[Alert]) -> None:
        """Takes in the alerts of an earlier run, so that they go on growing."""
        self._alerts.update((alert.id, alert) for alert in alerts[-self._limit :])

    def merge(self, alert: Alert, at: int) -> list[Raise]:
        """Takes an alert of one finding; what is to be told now."""
        known = self._alerts.pop(alert.id, None)
        if known is None:
            alert = replace(alert, count=max(alert.count, 1))
        self._alerts[alert.id] = alert if known is None else _grow(known, alert)
        if len(self._alerts) > self._limit:
            leaving, _ = self._alerts.popitem(last=False)
            self._grown.pop(leaving, None)
            self._told_at.pop(leaving, None)
            self.evicted += 1
        if known is None:
            self._told_at[alert.id] = at
            return [Raise(alert, is_new=True)]
        self._grown.setdefault(alert.id, self._told_at.get(alert.id, at) + GROWTH_INTERVAL_NS)
        return []

    def flush(self, at: int | None = None) -> list[Raise]:
        """The alerts that grew and have been silent for long enough; without a time, all that grew."""
        due = [one for one, from_at in self._grown.items() if at is None or from_at <= at]
        for one in due:
            del self._grown[one]
            self._told_at[one] = at or 0
        return [Raise(self._alerts[one], is_new=False) for one in due]


def _grow(known: Alert, more: Alert) -> Alert:
    evidence = _without_repetition([*known.evidence, *more.evidence])
    if len(evidence) > EVIDENCE_FIRST + EVIDENCE_LAST:
        evidence = (*evidence[:EVIDENCE_FIRST], *evidence[-EVIDENCE_LAST:])
    return replace(
        more,
        evidence=evidence,
        count=known.count + more.count,
        first_seen_ns=known.first_seen_ns,
    )


def _without_repetition(evidence: list[Evidence]) -> tuple[Evidence, ...]:
    """The latest of each saying: a repetition is in the count."""
    latest = {one.what: one for one in evidence}
    return tuple(sorted(latest.values(), key=lambda one: one.at_ns))
