"""The real daemon in a process of its own, on this kernel, with its lines as they come."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "modelwarden"]
DEADLINE_S = 20.0
CONFIG = '[http]\nlisten = "127.0.0.1:0"\n'

Entry = dict[str, Any]


class Daemon:
    """`modelwarden run` with its own state, configuration and port; its lines as they come."""

    def __init__(
        self,
        folder: Path,
        *,
        policy: str | None = None,
        prefix: tuple[str, ...] = (),
        options: tuple[str | Path, ...] = (),
    ) -> None:
        self.state = folder / "state"
        self.config = folder / "config.toml"
        self.policy = folder / "policy.toml"
        self.config.write_text(CONFIG)
        if policy is not None:
            self.policy.write_text(policy)
        self._options = [*(["--policy", self.policy] if policy is not None else []), *options]
        self._prefix = prefix
        self._lines: queue.Queue[Entry] = queue.Queue()
        self.seen: list[Entry] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "Daemon":
        """Starts and waits until it is ready; a machine that allows no probes skips, except where it must not (CI)."""
        self.process = subprocess.Popen(
            [*self._prefix, *COMMAND, "run", "--state-dir", self.state, "--config", self.config, *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        entry = self.wait(lambda entry: entry["event"] in {"ready", "not JSON", "ended"})
        if entry["event"] != "ready":
            if os.geteuid() != 0 and not os.environ.get("CI"):
                pytest.skip(f"the daemon does not run here: {self.seen}")
            pytest.fail(f"the daemon did not start: {self.seen}")
        self.address = str(entry["metrics"]).removeprefix("http://").removesuffix("/metrics")
        return self

    def wait(self, wanted: Callable[[Entry], bool]) -> Entry:
        """The next line that is wanted; fails after the deadline."""
        end = time.monotonic() + DEADLINE_S
        while (left := end - time.monotonic()) > 0:
            try:
                entry = self._lines.get(timeout=left)
            except queue.Empty:
                break
            self.seen.append(entry)
            if wanted(entry):
                return entry
        raise AssertionError(f"no such line within {DEADLINE_S:.0f} s; the last were {self.seen[-5:]}")

    def opened(self, path: Path | str) -> Entry:
        """The line that says that a model was opened at a path, also when it came before the daemon was ready."""

        def wanted(entry: Entry) -> bool:
            return bool(entry["event"] == "model_opened" and entry["path"] == str(path))

        return next((entry for entry in self.seen if wanted(entry)), None) or self.wait(wanted)

    def get(self, path: str) -> str:
        """The answer to an HTTP request."""
        connection = HTTPConnection(self.address, timeout=5)
        connection.request("GET", path)
        body = connection.getresponse().read().decode()
        connection.close()
        return body

    def run(self, *arguments: str | Path) -> Any:
        """What a command prints as JSON about this daemon's state."""
        done = subprocess.run(
            [*COMMAND, *arguments, "--json", "--state-dir", self.state], check=True, capture_output=True, text=True
        )
        return json.loads(done.stdout)

    def model(self, path: Path | str, wanted: Callable[[Entry], bool] = lambda _: True) -> Entry:
        """The census entry of a model, once it is as wanted."""
        end = time.monotonic() + DEADLINE_S
        found: list[Entry] = []
        while time.monotonic() < end:
            if self.state.exists() and (self.state / "state.db").exists():
                found = [one for one in self.run("census")["models"] if str(path) in one["paths"]]
                if found and wanted(found[0]):
                    return found[0]
            time.sleep(0.1)
        raise AssertionError(f"the census has for {path}: {found}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it and gives its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=DEADLINE_S)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                self._lines.put(json.loads(line))
            except ValueError:
                self._lines.put({"event": "not JSON", "line": line})
        process.stdout.close()
        self._lines.put({"event": "ended"})
