"""MLX, which has builds for Linux with CUDA or the processor alone.

Source: the packages mlx and mlx-lm (`mlx_lm/server.py`).
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_COMMANDS = ("mlx_lm.server", "mlx_lm.generate", "mlx_lm.chat", "mlx_lm.lora")

RUNTIME: Runtime = Family(
    name="mlx",
    launches=(
        Launch(names=_COMMANDS, options=("--model", "--port")),
        Launch(names=("mlx_lm",), words=("server", "generate", "chat", "lora")),
        Launch(modules=("mlx_lm", "mlx_vlm")),
    ),
    libraries=("libmlx.so",),
)
