"""TensorFlow Lite, now LiteRT, in whatever program.

Source: the libraries of the packages tflite-runtime and ai-edge-litert.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="tflite",
    libraries=(
        "libtensorflowlite",
        "libLiteRt.so",
        "_pywrap_tensorflow_interpreter_wrapper",
        "_pywrap_litert_interpreter_wrapper",
    ),
)
