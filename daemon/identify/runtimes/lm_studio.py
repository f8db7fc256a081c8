"""LM Studio: the desktop program, its headless daemon, and what starts that.

Source: `src/createClient.ts` and `src/lmstudioPaths.ts` of lmstudio-ai/lms. The engine is an addon in the program's
own processes. The desktop program is an AppImage, which is mounted at `/tmp/.mount_` with six letters of its name.
"""

from modelwarden.daemon.identify.runtimes.reading.family import GGML, Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="lm-studio",
    launches=(
        Launch(names=("lm-studio", "LM Studio"), folders=("/.mount_lm", "/lm studio/", "/lm-studio/", "/lmstudio/")),
        Launch(names=("lm-studio", "LM Studio"), options=("--type",)),
        Launch(names=("llmster",), folders=("/.lmstudio/", "/llmster/")),
        Launch(names=("llmster",), words=("daemon", "server")),
        Launch(names=("lms",), words=("daemon", "server")),
    ),
    names=("lm-studio", "LM Studio", "llmster"),
    supporting=GGML,
)
