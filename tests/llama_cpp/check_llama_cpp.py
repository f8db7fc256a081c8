"""A real llama.cpp, built from its source package, answers questions while the daemon watches: `make test-runtimes`."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hub import write_ollama
from tests.llama_cpp.serving import SERVER, ask, serving, serving_for_ollama
from tests.running.daemon import Daemon
from tests.running.test_runtimes import workload_of
from tests.tiny_llama import write_tiny_llama


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """One daemon for each test."""
    folder = tmp_path / "daemon"
    folder.mkdir()
    one = Daemon(folder).start()
    yield one
    assert one.stop() == 0


def test_a_server_that_generates_tokens(daemon: Daemon, tmp_path: Path) -> None:
    """The census knows the runtime, the model and its hash; the client that asked is no workload."""
    model = write_tiny_llama(tmp_path / "tiny.gguf")

    with serving(model) as port:
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
    weights = write_tiny_llama(tmp_path / "tiny.gguf").read_bytes()
    blob = write_ollama(tmp_path / "models", weights, "registry.ollama.ai/library/tiny/1b")

    with serving_for_ollama(blob, tmp_path) as (port, program):
        ask(port, "hello")
        workload = workload_of(daemon, blob)
        known = daemon.model(blob, lambda one: one["verified"])

    assert (workload["runtime"], workload["exe"]) == ("ollama", str(program))
    assert {Path(one["exe"]).name for one in workload["processes"]} == {"ollama", "llama-server"}
    assert (known["origin"]["kind"], known["origin"]["name"]) == ("ollama", "tiny:1b")
    assert known["sha256"] == hashlib.sha256(weights).hexdigest()
