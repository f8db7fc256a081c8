"""LocalAI, which runs each model in a backend: a program of others, started through `run.sh` or the loader beside it.

Source: `core/cli/run.go`, `pkg/model/initializers.go`, `backend/cpp/llama-cpp/run.sh` of mudler/LocalAI.
"""

from modelwarden.daemon.identify.runtimes.reading.family import GGML, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_ADDRESS = ("--addr", "-addr")

RUNTIME: Runtime = Family(
    name="local-ai",
    launches=(
        Launch(names=("local-ai", "local-ai-*"), words=("run", "federated", "worker")),
        Launch(names=("local-ai", "local-ai-*"), options=("--models-path", "--address", "--backends-path", "--p2p")),
        Launch(names=("llama-cpp-*",), options=_ADDRESS),
    ),
    names=("local-ai",),
    supporting=GGML,
    images=("localai/localai", "go-skynet/local-ai", "mudler/localai"),
    units=("local-ai.service",),
    engines=(Launch(names=("*",), options=_ADDRESS),),
)
