"""Runs the daemon as systemd would, and reads from /proc and /metrics what it costs and what it has counted."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

_READY = re.compile(r'"metrics": "(http://[^"]+)"[^\n]*"event": "ready"')
_SAMPLE = re.compile(r"^(modelwarden_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_START_DEADLINE_S = 30.0
_STOP_DEADLINE_S = 30.0
_TOLD_DEADLINE_S = 30.0


def require_root() -> None:
    """Ends the benchmark with one line; that is no failure, so that the others still run."""
    if os.geteuid() != 0:
        print("skipped: kernel probes need root; run it with sudo")
        raise SystemExit


class Daemon:
    """One `modelwarden run` with an empty state, on a free port, its log in a file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        config = folder / "config.toml"
        config.write_text('[http]\nlisten = "127.0.0.1:0"\n')
        self._log = folder / "log"
        policy = folder / "policy.toml"
        policy.write_text("")
        places: list[str | Path] = ["--config", config, "--policy", policy, "--state-dir", folder / "state"]
        with self._log.open("w") as log:
            begun = time.perf_counter()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "modelwarden", "run", *places], stdout=log, stderr=log
            )
        while not (found := _READY.search(self._log.read_text())):
            if self._process.poll() is not None or time.perf_counter() - begun > _START_DEADLINE_S:
                self._process.kill()
                raise SystemExit(f"the daemon did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.002)
        self.ready_s = time.perf_counter() - begun
        self._url = found[1]

    @property
    def pid(self) -> int:
        """Of the daemon itself."""
        return self._process.pid

    def metrics(self) -> Counter[str]:
        """What /metrics says: `name{labels}` to value; what is not there is zero."""
        with urlopen(self._url, timeout=60) as answer:  # noqa: S310 - the URL is the daemon's own
            text = answer.read().decode()
        return Counter({f"{name}{{{labels}}}" if labels else name: float(value)
                        for name, labels, value in _SAMPLE.findall(text)})  # fmt: skip

    def seconds_until_told(self, path: Path) -> float:
        """How long until the log names a file that is to be opened now for the first time."""
        wanted = f'"path": "{path}"'.encode()
        with self._log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            text, begun = b"", time.perf_counter()
            os.close(os.open(path, os.O_RDONLY))
            while wanted not in text:
                if time.perf_counter() - begun > _TOLD_DEADLINE_S:
                    return float("inf")
                time.sleep(0.001)
                # A line may be cut between two reads.
                text = text[-4096:] + log.read()
            return time.perf_counter() - begun

    def tree(self) -> list[int]:
        """The daemon and all that descend from it."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found = [self.pid]
        for pid in found:
            found += parents.get(pid, [])
        return found

    def pss_mb(self) -> float:
        """Proportional memory of the whole tree, in millions of bytes."""
        total = 0
        for pid in self.tree():
            try:
                lines = (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total * 1024 / 1e6

    def cpu_s(self) -> float:
        """Processor time of the tree so far, of children that ended too."""
        ticks = 0
        for pid in self.tree():
            # utime, stime, cutime, cstime of proc(5), which counts from 1 with pid and name.
            ticks += sum(map(int, _stat(pid)[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def sleeps(self) -> int:
        """How often a thread of the daemon has gone to sleep: each time, something has woken it."""
        total = 0
        for task in (Path("/proc") / str(self.pid) / "task").iterdir():
            text = (task / "status").read_text()
            total += int(text.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
        return total

    def stop(self) -> float:
        """Ends it as systemd would; how long it took, seconds."""
        begun = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        if code != 0:
            raise RuntimeError(f"the daemon ended with {code}:\n{self._log.read_text()[-2000:]}")
        return time.perf_counter() - begun


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name; empty when it is gone."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
