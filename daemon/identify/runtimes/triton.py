"""Triton Inference Server and the stubs that run its Python models.

Source: `src/command_line_parser.cc` of triton-inference-server/server; `src/stub_launcher.cc` of its python_backend.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="triton",
    launches=(
        Launch(names=("tritonserver",), options=("--model-repository", "--model-store", "--model-control-mode")),
        Launch(names=("triton_python_backend_stub",), arguments=("*triton_python_backend_shm_region_*",)),
    ),
    libraries=("libtritonserver.so",),
    by_library=2,
    images=("nvidia/tritonserver",),
    engines=(Launch(names=("triton_python_backend_stub",)),),
)
