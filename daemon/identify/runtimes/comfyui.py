"""ComfyUI: `main.py`, a name that says nothing: its folder or its options do.

Source: `comfy/cli_args.py` of comfyanonymous/ComfyUI.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_OPTIONS = (
    "--extra-model-paths-config",
    "--front-end-version",
    "--preview-method",
    "--lowvram",
    "--highvram",
    "--novram",
    "--disable-all-custom-nodes",
    "--disable-smart-memory",
    "--use-split-cross-attention",
)

RUNTIME: Runtime = Family(
    name="comfyui",
    launches=(
        Launch(names=("main.py",), folders=("/comfyui",), is_common=True),
        Launch(names=("main.py",), options=_OPTIONS, is_common=True),
        Launch(names=("comfy", "comfyui"), words=("launch",)),
    ),
    supporting=TORCH,
    images=("comfyui",),
)
