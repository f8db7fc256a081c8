"""The running daemon proves its probes after the start, and says nothing else about it."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.running.daemon import DEADLINE_S, Daemon

from modelwarden.probes.registry import PROBES

pytestmark = pytest.mark.bpf

MakeDaemon = Callable[..., Daemon]
PROVEN = re.compile(r'^modelwarden_probe_proven\{probe="(\w+)"\} ([01])\.0$', re.MULTILINE)
MOMENT = re.compile(r'^modelwarden_probe_proven_timestamp_seconds\{probe="\w+"\} (\S+)$', re.MULTILINE)


def test_proves_its_probes_after_the_start(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """Every probe that can be proven is; the daemon is ready, and neither its log nor its census knows the files."""
    place = tmp_path / "place"
    place.mkdir(mode=0o700)
    begun = time.time()
    daemon = make_daemon(prefix=("/usr/bin/env", f"TMPDIR={place}")).start()
    end = time.monotonic() + DEADLINE_S
    while not (proven := dict(PROVEN.findall(daemon.get("/metrics")))) and time.monotonic() < end:
        time.sleep(0.1)
    metrics = daemon.get("/metrics")
    ready = daemon.get("/readyz")
    assert daemon.stop() == 0

    assert proven == {probe.name: "1" for probe in PROBES if probe.prove is not None}
    moments = [float(moment) for moment in MOMENT.findall(metrics)]
    assert len(moments) == len(proven)
    assert all(begun < moment < time.time() for moment in moments)
    assert ready == "ok\n"
    assert 'modelwarden_events_total{event="probes_proven"} 1.0' in metrics
    assert list(place.iterdir()) == []
    assert [one for one in daemon.run("census")["models"] if one["path"].startswith(str(place))] == []
    assert [entry for entry in daemon.seen if str(place) in str(entry)] == []


def test_a_proof_that_cannot_be_made_is_said(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """Where every place for the folder is read-only, the daemon says so and stays ready: nobody is called blind."""
    script = f"mount --bind {tmp_path} {tmp_path}; mount --rbind /tmp /tmp; mount -o remount,bind,ro /tmp; "
    script += "for place in /run /dev/shm; do mount -t tmpfs -o ro none $place; done; "
    daemon = make_daemon(prefix=("/usr/bin/unshare", "-m", "/bin/sh", "-ec", f'{script} exec "$0" "$@"')).start()
    entry = daemon.wait(lambda entry: entry["event"] == "probe_not_tried" and entry["probe"] == "file_open")
    ready = daemon.get("/readyz")
    assert daemon.stop() == 0

    assert (entry["level"], ready) == ("warning", "ok\n")
    assert entry["reason"] == "no folder in /run: Read-only file system"
    assert [entry for entry in daemon.seen if entry["event"] == "probe_blind"] == []
