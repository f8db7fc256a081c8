"""All kernel probes there are, found by listing their folder, with the layouts of their records."""

from importlib import import_module
from pkgutil import iter_modules

import modelwarden.probes.kernel as package
from modelwarden.probes.probe import Probe
from modelwarden.probes.wire import Layout, layout

_CONTRACTS = {"common"}


def _discover() -> tuple[Probe, ...]:
    found = []
    for module in sorted(info.name for info in iter_modules(package.__path__)):
        if module in _CONTRACTS:
            continue
        probe = getattr(import_module(f"{package.__name__}.{module}"), "PROBE", None)
        if not isinstance(probe, Probe) or probe.name != module:
            raise TypeError(f"probes/kernel/{module}.py must end in a line `PROBE: Probe = Probe(name={module!r}, …)`")
        found.append(probe)
    return tuple(found)


PROBES: tuple[Probe, ...] = _discover()
"""Sorted by name."""

LAYOUTS: tuple[Layout, ...] = tuple(
    layout(record, kind)
    for kind, record in enumerate((record for probe in PROBES for record in probe.records), start=1)
)
"""One a record; the kind number is the position, counted from 1, so it is the same on both sides of one build."""

PROBE_OF_KIND: dict[int, str] = {
    item.kind: probe.name for item in LAYOUTS for probe in PROBES if item.event in probe.records
}
