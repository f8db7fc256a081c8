"""TabbyAPI, a server around ExLlamaV2: `main.py` or `start.py` in its folder.

Source: `main.py`, `start.py`, `common/args.py` of theroyallab/tabbyAPI.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="tabbyapi",
    launches=(
        Launch(names=("main.py", "start.py"), folders=("/tabbyapi",), is_common=True),
        Launch(names=("main.py", "start.py"), options=("--gpu-split", "--cache-mode"), is_common=True),
    ),
    supporting=(*TORCH, "exllamav2_ext", "exllamav3_ext"),
    images=("theroyallab/tabbyapi",),
)
