"""How long one scrape takes, for a census far larger than that of a workstation; it should stay below 10 ms."""

import time
from statistics import median

from modelwarden.daemon.snapshot import ProbeStatus, Snapshot
from modelwarden.exporters.prometheus import Prometheus

ROUNDS = 211

SNAPSHOT = Snapshot(
    "2026-01-01T00:00:00Z",
    "0" * 32,
    workloads=tuple({"running": index % 2 == 0} for index in range(500)),
    models=tuple({"format": f"format-{index % 12}", "verdict": None} for index in range(5000)),
    alerts=tuple((f"rule_{index}", "high", index) for index in range(25)),
    probes=tuple(ProbeStatus(f"probe_{index}", "fentry", None, None) for index in range(12)),
    events={f"event_{index}": index for index in range(30)},
)


def main() -> None:
    """Prints the median and the worst of the rounds."""
    metrics = Prometheus(lambda: SNAPSHOT).routes()["/metrics"]
    body = metrics().body
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        metrics()
        took.append((time.perf_counter() - started) * 1000)
    lines = body.count(b"\n")
    print(f"scrape: {lines} lines, {len(body)} bytes, median {median(took):.2f} ms, worst {max(took):.2f} ms")


if __name__ == "__main__":
    main()
