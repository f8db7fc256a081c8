"""A real llama-server at work, by itself or as the runner of Ollama, and a client that asks it."""

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

SERVER = Path(os.environ.get("LLAMA_SERVER", ".venv/llama.cpp/bin/llama-server")).resolve()
DEADLINE_S = 60
STAND_IN = """
import json, os, subprocess, sys
# A stand-in for the parent only: it starts the real llama-server as `ollama serve` from 0.30 on does.
sys.exit(subprocess.call(json.loads(os.environ["RUNNER"])))
"""


@contextmanager
def serving(model: Path) -> Iterator[int]:
    """A llama-server with a model, for the length of the block; its port."""
    port = _free_port()
    with _running([SERVER, "-m", model, "--host", "127.0.0.1", "--port", str(port), "-c", "256"]):
        yield port


@contextmanager
def serving_for_ollama(blob: Path, folder: Path) -> Iterator[tuple[int, Path]]:
    """The same as the child of a program called `ollama` (a stand-in), as Ollama starts it; its port, the program."""
    port, program = _free_port(), folder / "bin" / "ollama"
    program.parent.mkdir(parents=True)
    shutil.copy(Path(sys.executable).resolve(), program)
    (folder / "serve").write_text(STAND_IN)
    options = ("--port", str(port), "--host", "127.0.0.1", "--no-webui", "--offline", "-c", "256", "-np", "1")
    runner = json.dumps([str(SERVER), "--model", str(blob), *options])
    environment = {**os.environ, "RUNNER": runner}
    with _running(["ollama", "serve"], executable=program, cwd=folder, env=environment):
        yield port, program


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str | Path], **options: Any) -> Iterator[None]:
    """A program with all that it starts."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    process = subprocess.Popen(command, **quiet, **options)
    try:
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=20)
