"""TensorRT in whatever program.

Source: the libraries of the package tensorrt.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(name="tensorrt", libraries=("libnvinfer",))
