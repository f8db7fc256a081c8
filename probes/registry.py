"""All kernel probes there are, found by listing their folder, with the layouts of their records."""

from typing import cast

from modelwarden.probes.discover import discover
from modelwarden.probes.probe import Probe
from modelwarden.probes.wire import Layout, layout


def _probes() -> tuple[Probe, ...]:
    found = cast("tuple[Probe, ...]", discover("modelwarden.probes.kernel", "PROBE", skip=("common",)))
    return tuple(sorted(found, key=lambda probe: probe.name))


PROBES: tuple[Probe, ...] = _probes()
"""Sorted by name."""

LAYOUTS: tuple[Layout, ...] = tuple(
    layout(record, kind)
    for kind, record in enumerate((record for probe in PROBES for record in probe.records), start=1)
)
"""One a record; the kind number is the position, counted from 1, so it is the same on both sides of one build."""

LAYOUT_OF_KIND: dict[int, Layout] = {item.kind: item for item in LAYOUTS}

PROBE_OF_KIND: dict[int, str] = {
    item.kind: probe.name for item in LAYOUTS for probe in PROBES if item.event in probe.records
}
