"""Tells Prometheus what the snapshot holds, as `GET /metrics` in the text format.

Names, base units and types follow https://prometheus.io/docs/practices/naming/. Labels come from closed
sets: nothing that names a process, a file or a person.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

import modelwarden
from modelwarden.daemon.shards import merge_shards
from modelwarden.daemon.snapshot import Document, Snapshot
from modelwarden.exporters.exporter import ExporterType, Response, Route, SnapshotSource

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

FORMATS_MAX = 32
"""Distinct values of the label `format`, after which a new one is `other`: the parsers make up the set,
this keeps a parser that errs from growing the number of series."""
_FORMAT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")

VERDICTS = frozenset({"pending", "safe", "suspicious", "malicious", "unscannable"})


class SnapshotCollector(Collector):
    """Turns one snapshot into metric families; a scrape holds no lock and waits for nothing."""

    def __init__(self, snapshot: SnapshotSource) -> None:
        self._snapshot = snapshot
        self._formats: set[str] = set()

    def collect(self) -> Iterator[Metric]:
        """All families of one snapshot, so that the numbers of a scrape fit each other."""
        now = self._snapshot()
        yield InfoMetricFamily(
            "modelwarden_build", "Version of the running daemon.", {"version": modelwarden.__version__}
        )
        yield InfoMetricFamily(
            "modelwarden_policy",
            "SHA-256 of the policy in force, none when there is no policy.",
            {"digest": now.policy_digest},
        )
        yield from self._seeing(now)
        yield from self._thinking(now)
        yield from self._found(now)

    def _seeing(self, now: Snapshot) -> Iterator[Metric]:
        """What the probes deliver, what got lost on the way."""
        probes = InfoMetricFamily("modelwarden_probe", "Hook that each probe uses, off when none.", labels=["probe"])
        for probe in now.probes:
            probes.add_metric([probe.name], {"hook": probe.hook or "off"})
        yield probes
        text = "1 when the probe saw what was made for it the last time it was tried, 0 when not: it is blind."
        proven = GaugeMetricFamily("modelwarden_probe_proven", text, labels=["probe"])
        text = "When the probe last saw what was made for it, in seconds since 1970."
        moments = GaugeMetricFamily("modelwarden_probe_proven_timestamp_seconds", text, labels=["probe"])
        for probe in now.probes:
            if probe.proven is not None:
                proven.add_metric([probe.name], int(probe.proven))
            if probe.proven_at is not None:
                moments.add_metric([probe.name], probe.proven_at)
        yield proven
        yield moments
        yield _counter("modelwarden_events", "Events that the core handled.", ["event"], _by_name(now.events))
        # A series that starts at zero is what makes the first loss visible to rate() and increase().
        lost = {(place, probe.name): 0 for probe in now.probes for place in ("ring", "share", "recursion", "inbox")}
        lost |= {("table", "marks"): 0, ("decode", "unknown"): 0, ("core", "sampled"): 0} | now.lost
        text = "Events lost, by the bounded place that had no room for them."
        yield _counter("modelwarden_events_lost", text, ["place", "probe"], sorted(lost.items()))
        yield GaugeMetricFamily("modelwarden_ready", "1 while nothing is missed, as /readyz.", value=int(now.ready))

    def _thinking(self, now: Snapshot) -> Iterator[Metric]:
        """How the core itself is doing."""
        yield GaugeMetricFamily("modelwarden_inbox_depth", "Events that wait for the core.", value=now.inbox_depth)
        yield GaugeMetricFamily(
            "modelwarden_inbox_capacity", "Events for which the inbox has room.", value=now.inbox_capacity
        )
        text = "Time that the core spent on handling events, in seconds."
        yield CounterMetricFamily("modelwarden_handling_seconds", text, value=now.handled_seconds)
        text = "Inspections of files that ended, by outcome; dropped ones found no room in the queue."
        yield _counter("modelwarden_inspections", text, ["outcome"], _by_name(now.inspections))
        text = "Rows that a full table gave up, by table."
        yield _counter("modelwarden_table_evictions", text, ["table"], _by_name(now.evicted))
        text = "Errors inside rules; a rule that errs repeatedly is switched off."
        yield _counter("modelwarden_rule_errors", text, ["rule"], _by_name(now.rule_errors))

    def _found(self, now: Snapshot) -> Iterator[Metric]:
        """What runs on this machine."""
        running = sum(1 for workload in now.workloads if workload.get("running"))
        workloads = GaugeMetricFamily("modelwarden_workloads", "AI workloads in the census.", labels=["state"])
        workloads.add_metric(["running"], running)
        workloads.add_metric(["ended"], len(now.workloads) - running)
        yield workloads
        models = GaugeMetricFamily("modelwarden_models", "Models in the census.", labels=["format", "verdict"])
        seen = Counter(
            (self._format(model.get("format")), _verdict(model.get("verdict"))) for model in _models(now.models)
        )
        for labels, count in sorted(seen.items()):
            models.add_metric(labels, count)
        yield models
        opens: Counter[str] = Counter()
        for name, count in now.opens.items():
            opens[self._format(name)] += count
        yield _counter("modelwarden_model_opens", "Opens of model files.", ["format"], _by_name(opens))
        alerts = [((rule, severity), count) for rule, severity, count in now.alerts]
        yield _counter("modelwarden_alerts", "Alerts raised.", ["rule", "severity"], alerts)

    def _format(self, name: object) -> str:
        """The label for a format: `unknown` when it could not be read, `other` when it is not a sound name."""
        if name is None or name == "unknown":
            return "unknown"
        if not isinstance(name, str) or not _FORMAT.fullmatch(name):
            return "other"
        if name not in self._formats and len(self._formats) >= FORMATS_MAX:
            return "other"
        self._formats.add(name)
        return name


def _models(files: Iterable[Document]) -> Iterable[Document]:
    """Models instead of files. Merging costs 10 µs a part and nothing for the many that are whole."""
    parts = []
    for file in files:
        if file.get("shard") is None:
            yield file
        else:
            parts.append(file)
    yield from merge_shards(parts)


def _verdict(verdict: object) -> str:
    return verdict if isinstance(verdict, str) and verdict in VERDICTS else "unknown"


def _by_name(counts: Mapping[str, int]) -> Iterable[tuple[tuple[str, ...], int]]:
    return (((name,), count) for name, count in sorted(counts.items()))


def _counter(
    name: str, text: str, labels: list[str], rows: Iterable[tuple[tuple[str, ...], int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in rows:
        family.add_metric(values, count)
    return family


class Prometheus:
    """`/metrics`: the snapshot, beside the CPU time and memory of the daemon's own process."""

    def __init__(self, snapshot: SnapshotSource) -> None:
        # A registry of our own: the global one collects whatever a library registers on import.
        self._registry = CollectorRegistry()
        self._registry.register(SnapshotCollector(snapshot))
        ProcessCollector(registry=self._registry)

    def routes(self) -> Mapping[str, Route]:
        """`/metrics`."""
        return {"/metrics": self._metrics}

    def _metrics(self) -> Response:
        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE)


EXPORTER: ExporterType = Prometheus
