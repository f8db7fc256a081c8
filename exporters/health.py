"""Tells service managers and load balancers whether the daemon lives (`/healthz`) or sees (`/readyz`)."""

from collections.abc import Mapping

from modelwarden.daemon.printable import printable
from modelwarden.daemon.snapshot import Snapshot
from modelwarden.exporters.exporter import ExporterType, Response, Route, SnapshotSource


class Health:
    """`/healthz` answers 200 while the process answers at all, `/readyz` only while nothing is missed."""

    def __init__(self, snapshot: SnapshotSource) -> None:
        self._snapshot = snapshot

    def routes(self) -> Mapping[str, Route]:
        """`/healthz` and `/readyz`."""
        return {"/healthz": self._alive, "/readyz": self._ready}

    def _alive(self) -> Response:
        return Response(b"ok\n")

    def _ready(self) -> Response:
        snapshot = self._snapshot()
        if snapshot.ready:
            return Response(b"ok\n")
        return Response(f"not ready: {printable(why_not_ready(snapshot))}\n".encode(), status=503)


def why_not_ready(snapshot: Snapshot) -> str:
    """The most likely reason, in words for a person; meaningful only while `ready` is false."""
    off = [probe for probe in snapshot.probes if probe.hook is None]
    if off:
        return "; ".join(f"probe {probe.name} is off: {probe.reason or 'no reason given'}" for probe in off)
    blind = [probe.name for probe in snapshot.probes if probe.proven is False]
    if blind:
        return "; ".join(f"probe {name} is blind: it did not see what was made for it to see" for name in blind)
    if not snapshot.probes:
        return "the probes are not attached yet"
    if snapshot.inbox_capacity and snapshot.inbox_depth >= snapshot.inbox_capacity:
        return f"the inbox is full: {snapshot.inbox_depth} events wait"
    return "the first scan of the running system is not done yet"


EXPORTER: ExporterType = Health
