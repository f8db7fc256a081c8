"""The words that tell nothing about anybody: those of Linux, of model stores, and of our own source."""

import ast
import errno
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from modelwarden.probes.candidate import STRONG_SUFFIXES, WEAK_SUFFIXES

_FOLDERS = """
bin boot dev etc home lib lib32 lib64 libexec media mnt opt proc root run sbin share snap srv sys tmp usr var
cache lock log spool mail local include src games libx32 shm pts fd fdinfo task self ns net cgroup maps mounts
user system site-packages dist-packages x86_64-linux-gnu aarch64-linux-gnu conda envs venv .venv virtualenv .local
.cache .config .ssh .ollama .docker .lmstudio .gitconfig .git node_modules Downloads Documents Desktop Public merged
upper overlay overlay2 diff containers containerd docker podman lxc storage volumes rootfs snapshots fs memfd
huggingface hub blobs refs main manifests torch transformers datasets modules checkpoints models model weights
ollama registry.ollama.ai library latest hf.co huggingface.co gpt4all nomic.ai LM-Studio llama.cpp mlc_llm vllm
ramalama store Jan data llamacpp backends comfyui loras vae embeddings unet clip stable-diffusion-webui
"""
_STORES = """
model models pytorch_model consolidated adapter_model adapter config tokenizer tokenizer_config generation_config
special_tokens_map vocab merges diffusion_pytorch_model encoder decoder vision text_encoder index
"""
_PROGRAMS = """
sh bash dash zsh fish ksh tcsh busybox cat cp mv rm ls ln dd head tail tee cut sort find grep rg sed awk gawk less more
od hexdump xxd strings file stat du df sha256sum sha1sum md5sum cksum tar gzip zip unzip rsync scp ssh sshd curl wget
git make cmake gcc cc vim vi nano emacs screen tmux sudo su login cron crond systemd init snapd dbus-daemon systemctl
env nohup timeout nice ionice strace gdb perf unshare nsenter chroot setpriv setsid xargs runuser mount umount
python python3 pypy pypy3 node nodejs npm ruby perl java bun deno uv pip pip3 pipx poetry conda mamba jupyter
jupyter-lab jupyter-notebook ipykernel_launcher ipython gunicorn uvicorn celery torchrun accelerate
llama-server llama-cli llama-bench llama-quantize llama-perplexity llama-embedding llama-run llama whisper-cli
whisper-server rpc-server ggml-rpc-server ollama ollama_llama_server runner serve run llamafile llamafiler koboldcpp
local-ai localai lms llmster gpt4all jan vllm sglang tritonserver triton text-generation-launcher
text-generation-router text-generation-server trtllm-serve trtllm-build ovms open-webui ramalama model-runner
docker dockerd containerd containerd-shim runc crun podman conmon lxc-start kubelet modelwarden
vllm.entrypoints.openai.api_server sglang.launch_server mlx_lm.server llama_cpp.server
train.py main.py server.py launch.py webui.py app.py run.py infer.py inference.py generate.py koboldcpp.py
"""
_OTHERS = "app scope service slice socket timer target session machine http https file ftp s3 gs hf oci id at"
_OPTIONS = "-ngl -np -hf -hfr -hff -fa -ub -mg -ts -sm -tb -ctk -ctv -dev -cb -mm -md -nkvo"
"""Those of llama.cpp that are one dash and more than a letter."""
_SUFFIXES = """
py pyc sh so js ts jar json jsonl yaml yml toml cfg conf ini txt md csv tsv parquet log pid sock lock zip tar gz xz bz2
zst whl tmp part partial incomplete bak old new swp html xml png jpg service scope slice socket mount safetensors index
db sqlite proto imatrix gguf ape img iso deb rpm
"""
_USERS = """
root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody _apt messagebus sshd
systemd-network systemd-resolve systemd-timesync ollama docker postgres mysql redis nginx ubuntu debian admin user
"""
_HOSTS = """
localhost ollama.com registry.ollama.ai huggingface.co hf.co hf-mirror.com github.com docker.io ghcr.io quay.io
registry-1.docker.io nvcr.io modelscope.cn
"""

SUFFIXES = frozenset(_SUFFIXES.split()) | STRONG_SUFFIXES | WEAK_SUFFIXES
USERS = frozenset(_USERS.split())
"""Accounts that half of the world has; a person is nobody of these."""
HOSTS = frozenset(_HOSTS.split())
INTERPRETERS = ("python", "pypy", "node", "ruby", "perl", "java", "bun", "deno")
"""Programs whose name, whatever follows it, makes the script a part of what runs."""

_ROOMS = ("daemon", "probes")
_SOURCE = Path(__file__).resolve().parents[1]
AFFIXES = ".,;:!?()[]{}<>\"'`"
"""What stands around a word in a sentence."""
_LETTERS_MIN = 3
"""Of a text in our source, unless it is an option: what is shorter are pieces of patterns."""


@cache
def public_words() -> frozenset[str]:
    """Names of programs, folders and fields, by which nobody is known.

    What our own code compares names with is among them, so that it recognises them afterwards too.
    """
    listed = (*_FOLDERS.split(), *_STORES.split(), *_PROGRAMS.split(), *_OTHERS.split(), *_OPTIONS.split())
    found = {*listed, *USERS, *HOSTS, *SUFFIXES}
    for text in _texts():
        if not any(map(str.isspace, text)):
            parts = [text, *re.split(r"[^A-Za-z0-9]+", text)]
            found.update(part for part in parts if len(part) >= _LETTERS_MIN or part.startswith("-"))
    return frozenset(word for word in found if any(map(str.isalpha, word)))


@cache
def message_words() -> frozenset[str]:
    """The words of our own sentences and of the system's errors, in small letters."""
    sentences = [text for text in _texts() if any(map(str.isspace, text))]
    sentences += [os.strerror(number) for number in errno.errorcode]
    words = (word.strip(AFFIXES).lower() for text in sentences for word in text.split())
    return frozenset(word for word in words if any(map(str.isalpha, word)))


def _texts() -> Iterator[str]:
    """Every text in the source of the rooms, without what is written for its readers."""
    for path in sorted(path for room in _ROOMS for path in (_SOURCE / room).rglob("*.py")):
        tree = ast.parse(path.read_bytes())
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield node.value
