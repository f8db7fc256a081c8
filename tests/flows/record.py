"""Records journals of the real daemon while real programs open models (root): python -m tests.flows.record [NAME …].

What other programs of the machine did meanwhile is left out, and names of people and places are replaced.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import models
from tests.flows.journals import FOLDER, expected, render
from tests.hub import write_ollama
from tests.llama_cpp.serving import ask, serving, serving_for_ollama
from tests.running.daemon import Daemon
from tests.tiny_llama import write_tiny_llama

from modelwarden.daemon.journal import encode, encode_header
from modelwarden.daemon.journal_copy import redact_journal
from modelwarden.daemon.journal_file import JournalFile, create
from modelwarden.probes.event import Event
from modelwarden.probes.sampled.procfs import ProcessFound

NOBODY = 65534
POLICY = '[models]\n[[models.approved]]\nname = "approved-*"\nowner = "dana"\nreason = "the assistant of her team"\n'
HOLD = "import sys; held = open(sys.argv[1], 'rb'); print('up', flush=True); input()"
PROGRAMS = {
    "gguf.gguf": "import sys; from gguf import GGUFReader; GGUFReader(sys.argv[1])",
    "numpy.safetensors": "import sys; from safetensors.numpy import load_file; load_file(sys.argv[1])",
    "state.pt": "import sys, torch; torch.load(sys.argv[1])",
}
"""By the file that each loads."""


def write_models(home: Path) -> None:
    """As the libraries write them, in somebody's home."""
    home.mkdir(parents=True)
    models.write_gguf(home / "held.gguf", name="held-tiny", file_type=1)
    models.write_gguf(home / "read.gguf", name="read-tiny", file_type=15)
    models.write_gguf(home / "approved.gguf", name="approved-tiny", file_type=1)
    models.write_gguf(home / "gguf.gguf", name="dana-tiny", file_type=7)
    models.write_safetensors(home / "numpy.safetensors", {"format": "pt"})
    models.write_torch(home / "state.pt")
    for path in home.iterdir():
        path.chmod(0o644)
    write_tiny_llama(home / "tiny.gguf")
    # Before anybody watches: who reads weights is a workload, and all that it starts belongs to it.
    content = write_tiny_llama(home / "other.gguf", "tiny-other", seed=8).read_bytes()
    write_ollama(home / "ollama" / "models", content, "registry.ollama.ai/library/tiny/1b")


def use_models(daemon: Daemon, home: Path) -> None:
    """The flow `libraries`: a model that is held from before, and each way in which people read one."""
    daemon.opened(home / "held.gguf")
    for _ in range(3):
        subprocess.run(["/bin/cat", home / "read.gguf"], check=True, stdout=subprocess.DEVNULL)
    daemon.opened(home / "read.gguf")
    subprocess.run(["/bin/cat", home / "approved.gguf"], check=True, stdout=subprocess.DEVNULL, user=NOBODY)
    daemon.opened(home / "approved.gguf")
    for name, code in PROGRAMS.items():
        script = home / f"load-{name.partition('.')[0]}.py"
        script.write_text(code)
        subprocess.run([sys.executable, script, home / name], check=True)
        daemon.opened(home / name)
    renamed = (home / "read.gguf").rename(home / "holiday.dat")
    subprocess.run(["/bin/cat", renamed], check=True, stdout=subprocess.DEVNULL)
    daemon.model(renamed, lambda model: bool(model["opens"] >= 4))


def use_llama_cpp(daemon: Daemon, home: Path) -> None:
    """The flow `llama_cpp`: a real server that is asked, by itself and as the runner of Ollama (tests/llama_cpp)."""
    weights, blobs = home / "tiny.gguf", (home / "ollama" / "models" / "blobs").iterdir()
    blob = max(blobs, key=lambda path: path.stat().st_size)
    with serving(weights) as port:
        ask(port, "hello")
        daemon.model(weights, lambda model: model["sha256"] is not None)
    with serving_for_ollama(blob, home) as (port, _):
        ask(port, "hello")
        daemon.model(blob, lambda model: bool(model["verified"]))


FLOWS: dict[str, Callable[[Daemon, Path], None]] = {"libraries": use_models, "llama_cpp": use_llama_cpp}


def ancestors(pid: int) -> Iterator[int]:
    """The processes above one."""
    while pid > 0:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        yield pid


def ours(events: Iterator[tuple[int, Event]], pid: int) -> Iterator[Event]:
    """What this program and its children did, and what was answered about their files; of those above that they are."""
    family, above, files = {pid}, set(ancestors(pid)), set()
    for _, event in events:
        who = getattr(event, "pid", None)
        if who in family or getattr(event, "parent_pid", None) in family:
            family |= {who, getattr(event, "child_pid", who)}
            files.add((getattr(event, "device", 0), getattr(event, "inode", 0)))
        elif who is not None and not (who in above and isinstance(event, ProcessFound)):
            continue
        file = getattr(event, "file", None)
        if file is None or (file.device, file.inode) in files:
            yield event


def record(folder: Path, use: Callable[[Daemon, Path], None], target: Path) -> None:
    """Runs the daemon, lets the programs do what they do, and writes the journal of it."""
    home, whole, part = folder / "home" / "dana", folder / "whole.jsonl", folder / "part.jsonl"
    write_models(home)
    daemon = Daemon(folder, policy=POLICY, options=("--record", whole))
    holding = [sys.executable, "-c", HOLD, str(home / "held.gguf")]
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        daemon.start()
        use(daemon, home)
        holder.communicate(b"\n")
    assert daemon.stop() == 0
    journal = JournalFile(whole)
    with create(part) as file:
        file.write(encode_header(journal.header))
        file.writelines(map(encode, ours(journal.events(), os.getpid())))
    target.unlink(missing_ok=True)
    redact_journal(JournalFile(part), target)
    target.chmod(0o644)


if __name__ == "__main__":
    for name in sys.argv[1:] or FLOWS:
        place, target = Path(tempfile.mkdtemp(prefix="flow-", dir="/var/tmp")), FOLDER / f"{name}.jsonl.gz"
        place.chmod(0o755)
        try:
            record(place, FLOWS[name], target)
        finally:
            shutil.rmtree(place)
        expected(target).write_text(render(target))
