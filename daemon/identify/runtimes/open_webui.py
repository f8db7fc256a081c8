"""Open WebUI: a page in front of model servers, which itself runs models for search and speech.

Source: `backend/open_webui/__init__.py` and `backend/start.sh` of open-webui/open-webui.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="open-webui",
    launches=(
        Launch(names=("open-webui",), words=("serve", "dev")),
        Launch(names=("uvicorn",), arguments=("open_webui.main:*",), is_common=True),
        Launch(modules=("uvicorn",), arguments=("open_webui.main:*",)),
        Launch(modules=("open_webui",)),
    ),
    supporting=(*TORCH, "libctranslate2", "libonnxruntime", "onnxruntime_pybind11_state"),
    images=("open-webui/open-webui",),
)
