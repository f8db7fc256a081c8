"""KoboldCpp: one file that unpacks itself below `/tmp/_MEI…` and starts itself again, or a Python script.

Source: `koboldcpp.py`, `make_pyinstaller.sh` and `Makefile` of LostRuins/koboldcpp: its libraries are called after it.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_OPTIONS = (
    "--model",
    "-m",
    "--config",
    "--usecublas",
    "--usecuda",
    "--usevulkan",
    "--gpulayers",
    "--port",
    "--skiplauncher",
)

RUNTIME: Runtime = Family(
    name="koboldcpp",
    launches=(
        Launch(names=("koboldcpp*",), options=(*_OPTIONS, "--contextsize", "--sdmodel", "--whispermodel")),
        Launch(names=("koboldcpp*",), arguments=("*.gguf", "*.kcpps", "*.ggml")),
    ),
    libraries=("koboldcpp_",),
    by_library=2,
)
