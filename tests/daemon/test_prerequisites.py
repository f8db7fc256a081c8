"""What `doctor` says of a probe; the real ones are attached by tests/cli/test_doctor.py."""

import pytest
from tests.kit import NOW

from modelwarden.daemon.event import ProbesProven
from modelwarden.daemon.prerequisites import BLIND_NEXT_STEP, Health, Row, can_run, probe_row
from modelwarden.probes.kernel_side import ProbeState
from modelwarden.probes.probe import HookKind

FOUND = ProbesProven(NOW, proven=("sees",), blind=("blind",), untried=(("untried", "no folder"),))
RAW = HookKind.RAW_TRACEPOINT
WHY = "fentry: refused"


@pytest.mark.parametrize(
    ("state", "status", "detail", "next_step"),
    [
        (ProbeState("sees", RAW), Health.OK, "proven", None),
        (ProbeState("sees", RAW, WHY, "dmesg"), Health.DEGRADED, WHY, "dmesg"),
        (ProbeState("asked", HookKind.ITERATOR), Health.OK, "attached", None),
        (ProbeState("untried", RAW), Health.DEGRADED, "attached, not proven: no folder", None),
        (ProbeState("untried", RAW, WHY), Health.DEGRADED, f"attached, not proven: no folder; {WHY}", None),
        (ProbeState("off", None, WHY, "dmesg"), Health.MISSING, WHY, "dmesg"),
    ],
)
def test_row_of_a_probe(state: ProbeState, status: Health, detail: str, next_step: str | None) -> None:
    """Only what is attached as it should be, and has proven itself where that can be, is ok."""
    hook = state.hook.value if state.hook else None
    assert probe_row(state, FOUND) == Row(state.name, "probe", status, detail, hook, next_step)


@pytest.mark.parametrize("reason", [None, WHY])
def test_a_blind_probe_is_missing(reason: str | None) -> None:
    """One that is attached and sees nothing has its own next step, and the daemon is not said to run."""
    row = probe_row(ProbeState("blind", RAW, reason, reason and "dmesg"), FOUND)
    detail = "blind: it is attached and did not see what was made for it"
    assert (row.status, row.next_step) == (Health.MISSING, BLIND_NEXT_STEP)
    assert row.detail == (f"{detail}; {reason}" if reason else detail)
    assert not can_run([row])
