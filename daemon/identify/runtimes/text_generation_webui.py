"""text-generation-webui: `server.py`, and the `llama-server` of a wheel that it starts for GGUF files.

Source: `server.py`, `modules/shared.py`, `modules/llama_cpp_server.py` of oobabooga/text-generation-webui.
"""

from modelwarden.daemon.identify.runtimes.reading.family import GGML, TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_FOLDERS = ("/text-generation-webui", "/textgen", "/oobabooga")
_OPTIONS = ("--loader", "--lora-dir", "--multi-user", "--ctx-size", "--gpu-layers", "--chat-buttons")
_WHEEL = Launch(names=("llama-server",), options=("--model",), folders=("llama_cpp_binaries/",), is_unmistakable=True)

RUNTIME: Runtime = Family(
    name="text-generation-webui",
    launches=(
        Launch(names=("server.py",), folders=_FOLDERS, is_common=True),
        Launch(names=("server.py",), options=_OPTIONS, is_common=True),
        _WHEEL,
    ),
    supporting=(*TORCH, *GGML),
    engines=(_WHEEL, Launch(names=("llama-server",), options=("--model",))),
)
