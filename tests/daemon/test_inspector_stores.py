"""The inspector with its real children before models in their stores, as their programs lay these out."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk import Desk, at_work, command_for
from tests.finding import needs_root, process
from tests.fuse import LOOKUP, Fuse
from tests.hub import COMMIT, WEIGHTS, write_hub, write_ollama
from tests.models import write_gguf

from modelwarden.daemon.command import InspectFile
from modelwarden.daemon.event import FileIdentity, FileInspected, Inspection
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.probes.discover import discover

ROOT = Path(__file__).parents[2]
needs_fuse = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access("/dev/fuse", os.W_OK), reason="needs root and /dev/fuse"
)


def inspected(command: InspectFile) -> FileInspected:
    """The answer to one command."""
    answers = []

    async def scenario(desk: Desk) -> None:
        answers.append(await desk.inspect(command))

    at_work(scenario)
    return answers[0]


def as_seen(path: Path, claimed: str, pid: int) -> InspectFile:
    """The command for a file that a process sees under another path."""
    found = path.stat()
    identity = FileIdentity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return InspectFile(identity, claimed, (pid,))


def test_tells_a_model_of_the_hub(tmp_path: Path) -> None:
    """Given a blob in a cache that huggingface_hub wrote, then the event has what it is and where it came from."""
    hub = write_hub(tmp_path)
    link = hub / "models--org--tiny" / "snapshots" / COMMIT / "onnx" / "model.safetensors"
    event = inspected(command_for(link.resolve()))
    assert event.identity is not None
    assert (event.outcome, event.identity.format, event.reason) == (Inspection.MODEL, "safetensors", None)
    assert event.origin == Source(
        "huggingface", "org/tiny", COMMIT, "onnx/model.safetensors", None, None, "apache-2.0", link.resolve().name
    )
    assert inspected(command_for(link)).origin == event.origin


def test_reads_a_blob_with_what_stands_beside_its_link(tmp_path: Path) -> None:
    """Given a blob whose snapshot has a configuration, then its architecture is told."""
    hub = write_hub(tmp_path)
    link = hub / "models--org--tiny" / "snapshots" / COMMIT / "onnx" / "model.safetensors"

    event = inspected(command_for(link.resolve()))

    assert event.identity is not None
    assert event.identity.architecture == "LlamaForCausalLM"


def test_tells_a_model_of_ollama(tmp_path: Path) -> None:
    """Given a blob in a store of Ollama, then the event has its name there."""
    blob = write_ollama(tmp_path / "models", write_gguf(tmp_path / "m.gguf").read_bytes())
    event = inspected(command_for(blob))
    assert event.identity is not None
    assert event.origin is not None
    assert (event.identity.format, event.origin.name, event.origin.kind) == ("gguf", "llama3.2:1b", "ollama")
    assert event.origin.license == "LLAMA 3.2 COMMUNITY LICENSE"


def test_a_model_of_no_store_has_no_origin(tmp_path: Path) -> None:
    """Given a file named like a hash, in no known store, then no digest is claimed for it."""
    path = tmp_path / ("a" * 64)
    path.write_bytes(WEIGHTS)
    event = inspected(command_for(path))
    assert (event.outcome, event.origin) == (Inspection.MODEL, None)


def test_a_deleted_model_has_no_origin(tmp_path: Path) -> None:
    """Given a blob that is held open and deleted, then what lies under its name now tells nothing of it."""
    blob = write_ollama(tmp_path, WEIGHTS)
    with blob.open("rb") as held:
        blob.unlink()
        event = inspected(as_seen(Path(f"/proc/self/fd/{held.fileno()}"), str(blob), os.getpid()))
    assert (event.outcome, event.origin) == (Inspection.MODEL, None)


@pytest.mark.root
@needs_root
def test_a_model_in_another_root_has_its_store(tmp_path: Path) -> None:
    """Given a process in a changed root, then the store is the one that it sees."""
    root = tmp_path / "root"
    blob = write_ollama(root / "models", WEIGHTS, "registry.ollama.ai/dana/inside/v1")
    write_ollama(tmp_path / "models", WEIGHTS, "registry.ollama.ai/dana/outside/v1")
    with process("import os, sys; os.chroot(sys.argv[1])", root) as pid:
        event = inspected(as_seen(blob, f"/models/blobs/{blob.name}", pid))
    assert event.origin is not None
    assert event.origin.name == "dana/inside:v1"


@pytest.mark.root
@needs_root
def test_a_model_in_another_namespace_has_its_store(tmp_path: Path) -> None:
    """Given a store that only a container has mounted, then it is seen through the container."""
    code = (
        "import ctypes, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]);"
        "ctypes.CDLL(None).mount(b't', sys.argv[1].encode(), b'tmpfs', 0, None);"
        "from tests.hub import *; write_ollama(Path(sys.argv[1]), WEIGHTS)"
    )
    with process(code, tmp_path, ROOT, unshare=True) as pid:
        blob = Path(f"/proc/{pid}/root{tmp_path}/blobs/sha256-{hashlib.sha256(WEIGHTS).hexdigest()}")
        event = inspected(as_seen(blob, f"{tmp_path}/blobs/{blob.name}", pid))
    assert event.origin is not None
    assert event.origin.name == "llama3.2:1b"


@pytest.mark.root
@needs_fuse
def test_a_store_that_never_answers_costs_only_the_origin(tmp_path: Path) -> None:
    """Given a path that leads through a dead mount, then a held file is identified, and so is the next."""
    blob = write_ollama(tmp_path, WEIGHTS)
    other = command_for(write_ollama(tmp_path / "other", WEIGHTS))
    dead = tmp_path / "blobs" / "dead"
    dead.mkdir()
    with Fuse(dead, bytes(100), {LOOKUP}) as fuse, blob.open("rb"):
        command = replace(command_for(blob), path=f"{fuse.target}/m.gguf/blobs/{blob.name}")

        async def scenario(desk: Desk) -> None:
            event = await desk.inspect(command)
            assert (event.outcome, event.origin) == (Inspection.MODEL, None)
            assert (await desk.inspect(other)).origin is not None
            assert len(desk.pids) == 4

        at_work(scenario)


def test_no_store_asks_for_a_secret() -> None:
    """The environment variables that stores want to see are folders."""
    stores = discover("modelwarden.daemon.identify.origins", "ORIGIN", skip=("origin",))
    asked = [name for store in stores for name in store.variables]  # type: ignore[attr-defined]
    assert asked
    assert all(name.endswith(("_HOME", "_CACHE")) for name in asked)
