"""What `/healthz` and `/readyz` answer."""

from dataclasses import replace

import pytest

from modelwarden.daemon.snapshot import ProbeStatus, Snapshot
from modelwarden.exporters.health import Health

ON = ProbeStatus("exec", "fentry", None, None)
OFF = ProbeStatus("file_open", None, "the kernel refused it:\n\x1b[31mno", "use a newer kernel")
BLIND = ProbeStatus("fork", "fentry", None, None, proven=False)
EMPTY = Snapshot("2026-01-01T00:00:00Z", "0" * 32)


def test_alive() -> None:
    """Whoever answers is alive, ready or not."""
    response = Health(lambda: EMPTY).routes()["/healthz"]()
    assert (response.status, response.body) == (200, b"ok\n")


def test_ready() -> None:
    """A daemon that misses nothing is ready."""
    response = Health(lambda: replace(EMPTY, probes=(ON,), ready=True)).routes()["/readyz"]()
    assert (response.status, response.body) == (200, b"ok\n")


@pytest.mark.parametrize(
    ("snapshot", "why"),
    [
        (EMPTY, "the probes are not attached yet"),
        (replace(EMPTY, probes=(ON, OFF)), "probe file_open is off: the kernel refused it:\\n\\x1b[31mno"),
        (
            replace(EMPTY, probes=(ON, BLIND)),
            "probe fork is blind: it did not see what was made for it to see",
        ),
        (replace(EMPTY, probes=(ON,), inbox_depth=9, inbox_capacity=9), "the inbox is full: 9 events wait"),
        (replace(EMPTY, probes=(ON,), inbox_capacity=9), "the first scan of the running system is not done yet"),
    ],
)
def test_not_ready(snapshot: Snapshot, why: str) -> None:
    """One that does not see is not ready, for a reason that stays on one line whatever it quotes."""
    response = Health(lambda: snapshot).routes()["/readyz"]()
    assert (response.status, response.body) == (503, f"not ready: {why}\n".encode())
