"""Ollama, which runs a model in a child process: which program that is changed four times.

Source: `llm/server.go` and `llm/llama_server.go` at the tags of ollama/ollama: 0.1.33 to 0.4 extract
`ollama_llama_server`; 0.5.7 to 0.2x run `ollama runner`, at first with all settings as arguments, from 0.12 on with
`--model` and `--port` only; from 0.30 on GGUF models are served by llama.cpp's own `llama-server`, others by
`ollama runner --mlx-engine`. Who only talks to the server (`ollama run`, `ollama pull`) has no model.
"""

from modelwarden.daemon.identify.runtimes.reading.family import GGML, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="ollama",
    launches=(
        Launch(names=("ollama",), words=("serve", "start", "runner", "gpu-discover")),
        Launch(names=("ollama_llama_server",), options=("--model", "-m")),
        Launch(names=("llama-server",), options=("--model", "-m"), folders=("/lib/ollama/",), is_unmistakable=True),
    ),
    names=("ollama",),
    supporting=GGML,
    images=("ollama/ollama",),
    units=("ollama.service",),
    engines=(
        Launch(names=("llama-server",), options=("--model", "-m", "--list-devices")),
        Launch(names=("ollama_llama_server",)),
    ),
)
