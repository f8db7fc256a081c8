"""ONNX Runtime in whatever program.

Source: the libraries of the package onnxruntime and of its C interface.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(name="onnxruntime", libraries=("libonnxruntime", "onnxruntime_pybind11_state"))
