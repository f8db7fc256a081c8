"""SGLang: a Python server whose scheduler, tokenizer and detokenizer are processes that give themselves titles.

Source: `python/sglang/launch_server.py`, `srt/managers/scheduler.py` and others that call `setproctitle`.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="sglang",
    launches=(
        Launch(modules=("sglang.launch_server", "sglang.srt", "sglang_router.launch_server")),
        Launch(names=("sglang",), words=("serve", "generate")),
        Launch(names=("launch_server.py",), folders=("/sglang/",), is_common=True),
    ),
    supporting=TORCH,
    titles=("sglang::",),
    images=("lmsysorg/sglang",),
)
