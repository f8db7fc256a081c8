"""llama-cpp-python: llama.cpp's library in a Python process, with or without its own server.

Source: `llama_cpp/server/__main__.py` and `llama_cpp/_ctypes_extensions.py` of abetlen/llama-cpp-python.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="llama-cpp-python",
    launches=(Launch(modules=("llama_cpp.server",)),),
    libraries=("libllama.so",),
    by_library=2,
    needs_interpreter=True,
)
