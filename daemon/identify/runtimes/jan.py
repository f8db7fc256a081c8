"""Jan: a desktop program that downloads builds of llama.cpp and runs their `llama-server`, and its command line.

Source: jan.ai/docs (local API server, command line). The backends lie below `Jan/data/llamacpp/backends`.
"""

from modelwarden.daemon.identify.runtimes.reading.family import GGML, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_BACKEND = Launch(names=("llama-server",), folders=("/jan/data/llamacpp/backends/",), is_unmistakable=True)

RUNTIME: Runtime = Family(
    name="jan",
    launches=(
        Launch(names=("Jan", "jan"), folders=("/.mount_jan",)),
        Launch(names=("jan", "jan-cli"), words=("serve",)),
        _BACKEND,
    ),
    names=("Jan", "jan"),
    supporting=GGML,
    engines=(_BACKEND,),
)
