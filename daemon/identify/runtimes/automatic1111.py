"""Stable Diffusion web UI and those made from it: `launch.py` or `webui.py` in its folder, or with its options.

Source: `modules/cmd_args.py` and `launch.py` of AUTOMATIC1111/stable-diffusion-webui.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_NAMES = ("launch.py", "webui.py")
_OPTIONS = (
    "--medvram",
    "--lowvram",
    "--xformers",
    "--no-half-vae",
    "--no-half",
    "--ckpt",
    "--ckpt-dir",
    "--disable-safe-unpickle",
    "--enable-insecure-extension-access",
    "--skip-torch-cuda-test",
    "--opt-sdp-attention",
)

RUNTIME: Runtime = Family(
    name="automatic1111",
    launches=(
        Launch(names=_NAMES, folders=("/stable-diffusion-webui", "/sd-webui", "/sd.webui"), is_common=True),
        Launch(names=_NAMES, options=_OPTIONS, is_common=True),
    ),
    supporting=TORCH,
)
