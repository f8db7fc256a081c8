"""PyTorch in whatever program, the general answer for scripts and notebooks.

Source: the libraries of the packages torch and libtorch.
"""

from modelwarden.daemon.identify.runtimes.reading.family import TORCH, Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(name="pytorch", libraries=TORCH)
