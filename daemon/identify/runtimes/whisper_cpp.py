"""whisper.cpp: its programs, and its library in those of others.

Source: `examples/CMakeLists.txt` and `examples/server/server.cpp` of ggml-org/whisper.cpp. Until 2024 the programs were
called `main` and `server`.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_AUDIO = ("-m", "--model", "-f", "--file")

RUNTIME: Runtime = Family(
    name="whisper.cpp",
    launches=(
        Launch(names=("whisper-*",), options=("-m", "--model")),
        Launch(names=("whisper-cli",), options=_AUDIO),
        Launch(names=("whisper-server",), options=("--host", "--port")),
        Launch(
            names=("main", "server", "stream", "command"),
            options=_AUDIO,
            arguments=("ggml-*", "*/ggml-*"),
            is_common=True,
        ),
    ),
    libraries=("libwhisper.so",),
    supporting=("libggml.so", "libggml-"),
    images=("ggml-org/whisper.cpp", "ggerganov/whisper.cpp"),
)
