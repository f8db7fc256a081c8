"""The servers and commands around faster-whisper, which computes with CTranslate2.

Source: the packages wyoming-faster-whisper, whisper-ctranslate2 and speaches. A script that imports faster-whisper is
told by CTranslate2's library alone.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="faster-whisper",
    launches=(
        Launch(modules=("wyoming_faster_whisper", "faster_whisper")),
        Launch(names=("wyoming-faster-whisper",), options=("--model", "--uri", "--data-dir")),
        Launch(
            names=("whisper-ctranslate2",), options=("--model", "--model_directory", "--device", "--live_transcribe")
        ),
        Launch(names=("uvicorn",), arguments=("speaches.main:*", "faster_whisper_server.main:*"), is_common=True),
    ),
    supporting=("libctranslate2",),
    images=("speaches-ai/speaches", "fedirz/faster-whisper-server", "rhasspy/wyoming-whisper"),
)
