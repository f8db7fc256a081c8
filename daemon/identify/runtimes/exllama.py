"""ExLlamaV2 and its successor: extensions of PyTorch that are loaded under names of their own.

Source: `exllamav2/ext.py` of turboderp-org/exllamav2, `exllamav3/ext.py` of turboderp-org/exllamav3.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(name="exllama", libraries=("exllamav2_ext", "exllamav3_ext"), by_library=2)
