"""Stores of models on disk, as the programs that own them write them."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.models import Shelf

COMMIT = "c0ffee" + "0" * 34
WEIGHTS = (88).to_bytes(8, "little") + b'{"w":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}'.ljust(88) + bytes(8)
CARD = b"---\nlicense: apache-2.0\n---\n# Tiny\n"
CONFIG = b'{"architectures": ["LlamaForCausalLM"], "_name_or_path": "org/tiny-base"}'
FILES = {"onnx/model.safetensors": WEIGHTS, "README.md": CARD, "config.json": b"{}", "onnx/config.json": CONFIG}


class _Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for files of one repository: commit and etag are headers."""

    def _answer(self, *, body: bool) -> None:
        content = FILES.get(self.path.partition(f"/resolve/{COMMIT}/")[2] or self.path.partition("/resolve/main/")[2])
        self.send_response(404 if content is None else 200)
        content = content or b""
        is_large = content == WEIGHTS
        digest = hashlib.sha256(content) if is_large else hashlib.sha1(b"blob %d\0" % len(content) + content)  # noqa: S324
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Etag" if is_large else "ETag", f'"{digest.hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        """What the file is."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """What it holds."""
        self._answer(body=True)

    def log_message(self, *_: object) -> None:
        """Nothing."""


_DOWNLOAD = (
    "import sys; from huggingface_hub import hf_hub_download; [hf_hub_download('org/tiny', n) for n in sys.argv[1:]]"
)


def write_hub(folder: Path) -> Path:
    """A hub's folder into which huggingface_hub has downloaded some files of `org/tiny`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        environment = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HUB_CACHE": str(folder / "hub"),
            "HF_HOME": str(folder),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
        }
        command = [sys.executable, "-c", _DOWNLOAD, *FILES]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    finally:
        server.shutdown()
        server.server_close()
    return folder / "hub"


def write_ollama(folder: Path, weights: bytes, name: str = "registry.ollama.ai/library/llama3.2/1b") -> Path:
    """A store of Ollama with one model; the result is its blob."""

    def blob(content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs").mkdir(parents=True, exist_ok=True)
        (folder / "blobs" / f"sha256-{digest}").write_bytes(content)
        return f"sha256:{digest}"

    def layer(kind: str, content: bytes) -> dict[str, object]:
        media_type = f"application/vnd.ollama.image.{kind}"
        return {"mediaType": media_type, "digest": blob(content), "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": blob(b'{"model_format":"gguf","model_family":"llama","file_type":"Q8_0"}')},
        "layers": [layer("model", weights), layer("license", b"\n  LLAMA 3.2 COMMUNITY LICENSE\nbe good")],
    }
    path = folder / "manifests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest))
    return folder / "blobs" / f"sha256-{hashlib.sha256(weights).hexdigest()}"


def shelf_of(folder: Path) -> Shelf:
    """A folder on disk as a `Folder` in memory."""
    shelf = Shelf()
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            shelf.links[name] = str(path.readlink())
        elif path.is_file():
            shelf.files[name] = path.read_bytes()
    return shelf
