"""TensorFlow in whatever program.

Source: the libraries of the package tensorflow and of its C interface.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="tensorflow",
    libraries=(
        "libtensorflow.so",
        "libtensorflow_cc",
        "libtensorflow_framework",
        "_pywrap_tensorflow_internal",
        "_pywrap_tensorflow_common",
    ),
)
