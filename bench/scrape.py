"""How long one scrape takes, for a census far larger than that of a workstation; it should stay below 10 ms."""

import time
from dataclasses import replace
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


def in_parts(share: int) -> Snapshot:
    """The same, where each `share`-th model is one of the eight files of a larger one."""
    models = (
        {
            **model,
            "path": f"/m/{number // share // 8}-{number // share % 8 + 1:05}-of-00008.gguf",
            "shard": {"index": number // share % 8 + 1, "count": 8},
        }
        if number % share == 0
        else model
        for number, model in enumerate(SNAPSHOT.models)
    )
    return replace(SNAPSHOT, models=tuple(models))


def main() -> None:
    """Prints the median and the worst of the rounds."""
    snapshots = {"all whole": SNAPSHOT, "250 of them parts": in_parts(20), "all of them parts": in_parts(1)}
    for title, snapshot in snapshots.items():
        metrics = Prometheus(lambda snapshot=snapshot: snapshot).routes()["/metrics"]
        body = metrics().body
        took = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            metrics()
            took.append((time.perf_counter() - started) * 1000)
        lines = body.count(b"\n")
        print(
            f"scrape, 5,000 models, {title}: {lines} lines, {len(body)} bytes,"
            f" median {median(took):.2f} ms, worst {max(took):.2f} ms"
        )


if __name__ == "__main__":
    main()
