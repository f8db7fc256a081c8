"""TensorRT-LLM: the commands of its package and its libraries.

Source: `setup.py` and `tensorrt_llm/commands` of NVIDIA/TensorRT-LLM.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="tensorrt-llm",
    launches=(
        Launch(names=("trtllm-serve",), words=("serve", "disaggregated")),
        Launch(names=("trtllm-serve",), options=("--host", "--port", "--backend", "--tp_size", "--tokenizer")),
        Launch(names=("trtllm-build",), options=("--checkpoint_dir", "--model_config", "--output_dir")),
        Launch(modules=("tensorrt_llm.commands",)),
    ),
    libraries=("libtensorrt_llm", "libnvinfer_plugin_tensorrt_llm"),
    by_library=2,
    supporting=(*TORCH, "libnvinfer"),
    images=("tensorrt-llm/release", "nvidia/tensorrt-llm"),
)
