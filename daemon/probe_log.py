"""Says in the log what became of each probe."""

from collections.abc import Iterable

import structlog

from modelwarden.probes.kernel_side import ProbeState

log = structlog.get_logger(__name__)


def tell_of_probes(states: Iterable[ProbeState]) -> None:
    """One line for each: its hook, why not a better one, and what to do."""
    for probe in states:
        if probe.hook is None:
            log.error("probe_off", probe=probe.name, reason=probe.reason, next_step=probe.next_step)
        elif probe.reason is not None:
            hook = probe.hook.value
            log.warning("probe_on", probe=probe.name, hook=hook, instead_of=probe.reason, next_step=probe.next_step)
        else:
            log.info("probe_on", probe=probe.name, hook=probe.hook.value)
