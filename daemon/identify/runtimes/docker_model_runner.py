"""Docker Model Runner, which starts engines of others behind Unix sockets of its own.

Source: `README.md`, `Dockerfile` and `pkg/inference` of docker/model-runner.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_SOCKET = ("*inference-runner-*",)

RUNTIME: Runtime = Family(
    name="docker-model-runner",
    launches=(
        Launch(names=("dmr",), words=("serve",)),
        Launch(names=("llama-server", "com.docker.llama-server"), arguments=_SOCKET, is_unmistakable=True),
        Launch(names=("com.docker.llama-server",), options=("--model", "-m")),
    ),
    names=("model-runner", "com.docker.model-runner"),
    images=("docker/model-runner",),
    engines=(
        Launch(names=("llama-server", "com.docker.llama-server"), options=("--model", "-m")),
        Launch(names=("vllm",), words=("serve",)),
        Launch(modules=("vllm.entrypoints", "sglang.launch_server")),
    ),
)
