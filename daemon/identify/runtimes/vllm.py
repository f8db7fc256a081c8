"""vLLM: a Python server whose engine and workers are processes that give themselves titles.

Source: `pyproject.toml` (its command), `vllm/entrypoints`, and `set_process_title` in `vllm/utils` of
vllm-project/vllm; who sets VLLM_PROCESS_NAME_PREFIX chooses another beginning of the titles.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="vllm",
    launches=(
        Launch(names=("vllm",), words=("serve", "run-batch", "bench")),
        Launch(modules=("vllm.entrypoints",)),
        Launch(names=("api_server.py",), folders=("/vllm/entrypoints/",), is_common=True),
    ),
    supporting=TORCH,
    titles=("VLLM::",),
    images=("vllm/vllm-openai", "vllm/vllm-openai-rocm", "rocm/vllm"),
)
