"""JAX in whatever program.

Source: the libraries of the package jaxlib, before and since 0.7.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(
    name="jax", libraries=("xla_extension", "libjax_common", "xla_cuda_plugin", "xla_rocm_plugin")
)
