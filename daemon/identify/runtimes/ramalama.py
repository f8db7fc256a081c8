"""RamaLama: it hands over to a container engine, in whose container an engine of others serves the model.

Source: `ramalama/engine.py` (its containers have the label `ai.ramalama`), `ramalama/cli.py` of containers/ramalama.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_VALUED = ("--engine", "--image", "--runtime", "--store", "--run")

RUNTIME: Runtime = Family(
    name="ramalama",
    launches=(
        Launch(names=("ramalama",), words=("serve", "run", "bench", "perplexity", "rag"), valued=_VALUED),
        Launch(modules=("ramalama",), words=("serve", "run", "bench", "perplexity", "rag"), valued=_VALUED),
        Launch(
            names=("podman", "docker"),
            words=("run",),
            arguments=("ai.ramalama*", "--label=ai.ramalama*"),
            is_common=True,
        ),
    ),
    images=("ramalama",),
    engines=(
        Launch(
            names=("llama-server", "llama-cli", "llama-run", "llama-bench", "ramalama-*"),
            options=("-m", "--model", "--port"),
        ),
        Launch(names=("vllm",), words=("serve",)),
        Launch(modules=("vllm.entrypoints",)),
    ),
)
