"""MLC-LLM: its command line, and its library in other programs.

Source: `python/mlc_llm/__main__.py`, `python/mlc_llm/cli/serve.py`, `CMakeLists.txt` of mlc-ai/mlc-llm.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_WORDS = ("serve", "chat", "bench", "convert_weight", "compile")

RUNTIME: Runtime = Family(
    name="mlc-llm",
    launches=(
        Launch(names=("mlc_llm", "mlc-llm"), words=_WORDS),
        Launch(modules=("mlc_llm",)),
    ),
    libraries=("libmlc_llm",),
    by_library=2,
    supporting=("libtvm.so", "libtvm_runtime"),
)
