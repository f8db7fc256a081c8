"""CTranslate2 in whatever program: faster-whisper and translators.

Source: the libraries of the package ctranslate2.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.runtime import Runtime

RUNTIME: Runtime = Family(name="ctranslate2", libraries=("libctranslate2",))
