"""OpenVINO in whatever program, on a processor, a GPU or an NPU.

Source: the libraries of the package openvino.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(name="openvino", libraries=("libopenvino",))
