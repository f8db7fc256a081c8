"""A real llama.cpp, built from its source package, answers questions while the daemon watches: `make test-runtimes`."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.running.daemon import Daemon
from tests.running.test_runtimes import workload_of
from tests.tiny_llama import write_tiny_llama

SERVER = Path(os.environ.get("LLAMA_SERVER", ".venv/llama.cpp/bin/llama-server")).resolve()
DEADLINE_S = 60
STAND_IN = """
import json, os, subprocess, sys
# A stand-in for the parent only: it starts the real llama-server as `ollama serve` from 0.30 on does.
sys.exit(subprocess.call(json.loads(os.environ["RUNNER"])))
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """One daemon for each test."""
    folder = tmp_path / "daemon"
    folder.mkdir()
    one = Daemon(folder).start()
    yield one
    assert one.stop() == 0


def free_port() -> int:
    """A port of the loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, prompt: str) -> Any:
    """Eight tokens from a server, once it has loaded its model."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection, suppress(OSError):
            connection.request("POST", "/completion", json.dumps({"prompt": prompt, "n_predict": 8}))
            with connection.getresponse() as response:
                if response.status == 200:
                    return json.loads(response.read())
        time.sleep(0.1)
    raise AssertionError("the server never answered")


@contextmanager
def running(*command: str | Path, **options: Any) -> Iterator[None]:
    """A program for the length of the block, with all that it starts."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    process = subprocess.Popen(command, **quiet, **options)
    try:
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=20)


def test_a_server_that_generates_tokens(daemon: Daemon, tmp_path: Path) -> None:
    """The census knows the runtime, the model and its hash; the client that asked is no workload."""
    model = write_tiny_llama(tmp_path / "tiny.gguf")
    port = free_port()

    with running(SERVER, "-m", model, "--host", "127.0.0.1", "--port", str(port), "-c", "256"):
        answer = ask(port, "hello")
        workload = workload_of(daemon, model)
        known = daemon.model(model, lambda one: one["sha256"] is not None)

    assert answer["tokens_predicted"] == 8
    assert (workload["runtime"], workload["exe"], workload["running"]) == ("llama.cpp", str(SERVER), True)
    assert any("libllama.so" in reason for reason in workload["why"])
    assert (known["name"], known["architecture"], known["quantization"]) == ("tiny-random", "llama", "F32")
    assert known["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert len(daemon.run("census")["workloads"]) == 1


def test_the_runner_of_ollama(daemon: Daemon, tmp_path: Path) -> None:
    """Ollama from 0.30 on: the runner is a llama-server, the model a blob of its store, the workload Ollama's."""
    models = tmp_path / "ollama" / "models"
    written = write_tiny_llama(tmp_path / "tiny.gguf")
    digest = hashlib.sha256(written.read_bytes()).hexdigest()
    (models / "blobs").mkdir(parents=True)
    blob = written.rename(models / "blobs" / f"sha256-{digest}")
    config = json.dumps({"model_format": "gguf", "model_family": "llama", "file_type": "F32"}).encode()
    config_digest = hashlib.sha256(config).hexdigest()
    (models / "blobs" / f"sha256-{config_digest}").write_bytes(config)
    manifest = models / "manifests" / "registry.ollama.ai" / "library" / "tiny"
    manifest.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": 1}
    head = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": f"sha256:{config_digest}",
        "size": 1,
    }
    (manifest / "1b").write_text(json.dumps({"schemaVersion": 2, "config": head, "layers": [layer]}))
    ollama = tmp_path / "bin" / "ollama"
    ollama.parent.mkdir()
    shutil.copy(Path(sys.executable).resolve(), ollama)
    port = free_port()

    (tmp_path / "serve").write_text(STAND_IN)
    options = ("--port", str(port), "--host", "127.0.0.1", "--no-webui", "--offline", "-c", "256", "-np", "1")
    runner = json.dumps([str(SERVER), "--model", str(blob), *options])
    with running("ollama", "serve", executable=ollama, cwd=tmp_path, env={**os.environ, "RUNNER": runner}):
        ask(port, "hello")
        workload = workload_of(daemon, blob)
        known = daemon.model(blob, lambda one: one["verified"])

    assert (workload["runtime"], workload["exe"]) == ("ollama", str(ollama))
    assert {Path(one["exe"]).name for one in workload["processes"]} == {"ollama", "llama-server"}
    assert known["origin"]["kind"] == "ollama"
    assert known["origin"]["name"] == "tiny:1b"
    assert known["sha256"] == digest
