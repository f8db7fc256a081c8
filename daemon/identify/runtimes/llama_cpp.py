"""llama.cpp: its server, its other programs, and the one that is all of them (`llama serve`).

Source: `app/llama.cpp`, `common/arg.cpp`, `tools/rpc/rpc-server.cpp` and the README of `tools/server` of
ggml-org/llama.cpp. A server that was given a folder of models (`--models-dir`, `--models-preset`) starts one more
server for each model that is asked for. Until 2024 the programs were called `main` and `server`.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_MODEL = ("-m", "--model", "-mu", "--model-url", "-hf", "-hfr", "--hf-repo", "-dr", "--docker-repo")
_ROUTER = ("--models-dir", "--models-preset", "--models-max")

RUNTIME: Runtime = Family(
    name="llama.cpp",
    launches=(
        Launch(names=("llama-*",), options=(*_MODEL, *_ROUTER)),
        Launch(names=("llama-server",), options=("--port", "--host", "--list-devices")),
        Launch(names=("llama",), words=("serve", "cli", "bench", "chat"), is_common=True),
        Launch(names=("ggml-rpc-server", "rpc-server"), options=("-p", "--port", "-H", "--host", "-d", "--device")),
        Launch(names=("main", "server"), options=_MODEL, arguments=("*.gguf",), is_common=True),
    ),
    libraries=("libllama.so", "libllama-"),
    supporting=("libggml.so", "libggml-"),
    images=("ggml-org/llama.cpp", "ggerganov/llama.cpp"),
    units=("llama-server.service", "llama-cpp.service"),
)
