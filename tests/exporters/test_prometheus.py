"""What Prometheus reads: names, labels and numbers of one snapshot."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

import modelwarden
from modelwarden.daemon.snapshot import ProbeStatus, Snapshot
from modelwarden.exporters.exporter import SnapshotSource
from modelwarden.exporters.http import HttpServer
from modelwarden.exporters.prometheus import FORMATS_MAX, Prometheus

SNAPSHOT = Snapshot(
    generated_at="2026-01-01T00:00:00Z",
    host_id="0" * 32,
    workloads=({"running": True}, {"running": False}, {"running": True}),
    models=(
        {"format": "gguf", "verdict": None, "path": "/home/alice/secret.gguf"},
        {"format": "gguf", "verdict": "safe"},
        {"format": None, "verdict": "unscannable"},
    ),
    alerts=(("unapproved_model", "medium", 3),),
    probes=(
        ProbeStatus("file_open", "fentry", None, None, proven=True, proven_at=1767225600.5),
        ProbeStatus("fork", "raw_tracepoint", None, None, proven=False),
        ProbeStatus("exec", None, "the kernel refused it", "use a newer kernel"),
    ),
    events={"file_opened": 7, "process_executed": 2},
    lost={("ring", "file_open"): 5, ("inbox", "unknown"): 1},
    opens={"gguf": 9, "unknown": 1},
    evicted={"files": 4},
    inspections={"model": 2, "dropped": 1},
    rule_errors={"unapproved_model": 1},
    inbox_depth=3,
    inbox_capacity=1000,
    handled_seconds=0.25,
    policy_digest="ab" * 32,
    ready=True,
)


def need(program: str, package: str) -> str:
    """The program's path; skips without it, except in CI, where its absence is an error."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is missing: install the package {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def scrape(source: SnapshotSource) -> bytes:
    """The text of one scrape."""
    return Prometheus(source).routes()["/metrics"]().body


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and sorted labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("modelwarden_build_info", {"version": modelwarden.__version__}, 1),
        ("modelwarden_policy_info", {"digest": "ab" * 32}, 1),
        ("modelwarden_probe_info", {"probe": "file_open", "hook": "fentry"}, 1),
        ("modelwarden_probe_info", {"probe": "exec", "hook": "off"}, 1),
        ("modelwarden_probe_proven", {"probe": "file_open"}, 1),
        ("modelwarden_probe_proven", {"probe": "fork"}, 0),
        ("modelwarden_probe_proven_timestamp_seconds", {"probe": "file_open"}, 1767225600.5),
        ("modelwarden_events_total", {"event": "file_opened"}, 7),
        ("modelwarden_events_lost_total", {"place": "ring", "probe": "file_open"}, 5),
        ("modelwarden_events_lost_total", {"place": "inbox", "probe": "unknown"}, 1),
        ("modelwarden_events_lost_total", {"place": "ring", "probe": "exec"}, 0),
        ("modelwarden_ready", {}, 1),
        ("modelwarden_inbox_depth", {}, 3),
        ("modelwarden_inbox_capacity", {}, 1000),
        ("modelwarden_handling_seconds_total", {}, 0.25),
        ("modelwarden_inspections_total", {"outcome": "dropped"}, 1),
        ("modelwarden_table_evictions_total", {"table": "files"}, 4),
        ("modelwarden_rule_errors_total", {"rule": "unapproved_model"}, 1),
        ("modelwarden_workloads", {"state": "running"}, 2),
        ("modelwarden_workloads", {"state": "ended"}, 1),
        ("modelwarden_models", {"format": "gguf", "verdict": "unknown"}, 1),
        ("modelwarden_models", {"format": "gguf", "verdict": "safe"}, 1),
        ("modelwarden_models", {"format": "unknown", "verdict": "unscannable"}, 1),
        ("modelwarden_model_opens_total", {"format": "gguf"}, 9),
        ("modelwarden_alerts_total", {"rule": "unapproved_model", "severity": "medium"}, 3),
    ],
)
def test_sample(name: str, labels: dict[str, str], value: float) -> None:
    """Each number of the snapshot is one sample."""
    assert samples(scrape(lambda: SNAPSHOT))[name, tuple(sorted(labels.items()))] == value


def test_model_of_several_files_is_one() -> None:
    """Given three files of a model beside a whole one, then two models, the first as bad as its worst file."""
    shards = tuple(
        {"format": "gguf", "verdict": verdict, "path": f"/m/a-0000{number}-of-00003.gguf", "shard": one}
        for number, verdict in ((1, "safe"), (2, "malicious"), (3, "safe"))
        for one in [{"index": number, "count": 3}]
    )
    models = (*shards, {"format": "gguf", "verdict": "safe", "path": "/m/b.gguf", "shard": None})
    found = samples(scrape(lambda: replace(SNAPSHOT, models=models)))
    counted = {
        dict(labels)["verdict"]: value for (name, labels), value in found.items() if name == "modelwarden_models"
    }
    assert counted == {"malicious": 1, "safe": 1}


def test_what_was_never_tried_has_no_proof() -> None:
    """Neither a probe that is off nor one that never proved itself has a number that would look like an answer."""
    found = samples(scrape(lambda: SNAPSHOT))
    assert ("modelwarden_probe_proven", (("probe", "exec"),)) not in found
    assert ("modelwarden_probe_proven_timestamp_seconds", (("probe", "fork"),)) not in found


def test_own_process() -> None:
    """CPU time and memory of the daemon are there under the names that every dashboard knows."""
    found = samples(scrape(lambda: SNAPSHOT))
    assert found["process_resident_memory_bytes", ()] > 1_000_000
    assert ("process_cpu_seconds_total", ()) in found


def test_nothing_personal() -> None:
    """No path leaves through a label."""
    assert b"alice" not in scrape(lambda: SNAPSHOT)


def test_each_scrape_reads_the_newest_snapshot() -> None:
    """Given a snapshot that changed, then the next scrape shows the change."""
    current = [SNAPSHOT]
    metrics = Prometheus(lambda: current[0]).routes()["/metrics"]
    metrics()
    current[0] = replace(SNAPSHOT, ready=False)
    assert samples(metrics().body)["modelwarden_ready", ()] == 0


def test_empty_snapshot() -> None:
    """A daemon that has seen nothing has metrics too."""
    found = samples(scrape(lambda: Snapshot("2026-01-01T00:00:00Z", "0" * 32)))
    assert found["modelwarden_workloads", (("state", "running"),)] == 0


@given(st.lists(st.one_of(st.none(), st.text(), st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True)), max_size=100))
def test_formats_are_a_small_set(formats: list[str | None]) -> None:
    """Whatever a parser says, the label stays within its set, and no model is lost from the count."""
    models = tuple({"format": name, "verdict": None} for name in formats)
    found = samples(scrape(lambda: replace(SNAPSHOT, models=models, opens={})))
    counted = {labels: value for (name, labels), value in found.items() if name == "modelwarden_models"}
    assert len(counted) <= FORMATS_MAX + 2
    assert sum(counted.values()) == len(formats)


def test_promtool_finds_nothing() -> None:
    """The linter of the Prometheus project accepts names, types and help."""
    promtool = need("promtool", "prometheus")
    for snapshot in (SNAPSHOT, Snapshot("2026-01-01T00:00:00Z", "0" * 32)):
        text = scrape(partial(replace, snapshot))
        ended = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_every_metric_has_help() -> None:
    """A person who meets a name reads what it means."""
    families = list(text_string_to_metric_families(scrape(lambda: SNAPSHOT).decode()))
    assert families
    assert [family.name for family in families if not family.documentation] == []


def free_port() -> int:
    """A port that nobody has at this moment; Prometheus cannot say which one it took by itself."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[tuple[str, HttpServer]]:
    """A real Prometheus that scrapes us every second: its address, with our server."""
    program = need("prometheus", "prometheus")
    server = HttpServer("127.0.0.1", 0, Prometheus(lambda: SNAPSHOT).routes())
    server.start()
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: modelwarden\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]\n"
    )
    where = f"127.0.0.1:{free_port()}"
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address={where}"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen([program, *arguments], stdout=log, stderr=log) as child:
        try:
            yield f"http://{where}", server
        finally:
            child.terminate()
            child.wait(20)
            server.stop()


def query(base: str, expression: str) -> list[dict[str, Any]]:
    """The result of an instant query, empty while Prometheus starts."""
    try:
        with urllib.request.urlopen(f"{base}/api/v1/query?query={expression}", timeout=5) as answer:  # noqa: S310
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return result
    except OSError:
        return []


def test_real_prometheus(prometheus: tuple[str, HttpServer]) -> None:
    """Given a Prometheus that scrapes us, then a query to it gives the snapshot's numbers."""
    base, server = prometheus
    deadline = time.monotonic() + 30
    while not (rows := query(base, "modelwarden_alerts_total")) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [row["value"][1] for row in rows] == ["3"]
    assert rows[0]["metric"] == {
        "__name__": "modelwarden_alerts_total",
        "instance": f"127.0.0.1:{server.port}",
        "job": "modelwarden",
        "rule": "unapproved_model",
        "severity": "medium",
    }
    assert [row["value"][1] for row in query(base, "up")] == ["1"]


def test_contract_lists_every_metric() -> None:
    """What the page promises is what a scrape has, with the same labels."""
    page = (Path(__file__).parents[2] / "docs" / "contract.md").read_text()
    promised = {
        (name, tuple(sorted(re.findall(r"`(\w+)`", row[2]))))
        for row in (line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `modelwarden_"))
        for name in re.findall(r"`(modelwarden_\w+)`", row[0])
    }
    scraped = {(name, tuple(key for key, _ in labels)) for name, labels in samples(scrape(lambda: SNAPSHOT))}
    assert promised == {sample for sample in scraped if sample[0].startswith("modelwarden_")}
