"""GPT4All: the desktop program and the Python binding, which share libraries of their own.

Source: `gpt4all-chat/CMakeLists.txt` (the program is called `chat` or `gpt4all`), `gpt4all-backend/CMakeLists.txt` of
nomic-ai/gpt4all.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="gpt4all",
    launches=(Launch(names=("chat", "gpt4all"), folders=("/gpt4all/", "/.mount_gpt4al", "/io.gpt4all.gpt4all/")),),
    libraries=("libllmodel.so", "libllamamodel-mainline"),
    by_library=2,
)
