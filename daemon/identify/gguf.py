"""GGUF, the format of llama.cpp, Ollama and LM Studio."""

from modelwarden.daemon.identify.reading import gguf_identity
from modelwarden.daemon.identify.sniffer import Format, Identity, Window


class Gguf:
    """The GGUF format."""

    name = "gguf"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the magic alone: nothing else starts so."""
        return head[:4] == gguf_identity.MAGIC and size > 4

    def identify(self, window: Window) -> Identity:
        """The identity from the metadata and the tensor table, as far as they can be read."""
        return gguf_identity.identity(window, self.name)


FORMAT: Format = Gguf()
