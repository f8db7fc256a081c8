"""What `torch.save` wrote before PyTorch 1.6: a stream of pickles that begins with a magic number."""

from modelwarden.daemon.identify.reading import torch_stream
from modelwarden.daemon.identify.reading.torch_identity import identity
from modelwarden.daemon.identify.reading.torch_weights import Weights
from modelwarden.daemon.identify.sniffer import Format, Identity, Window


class TorchLegacy:
    """The legacy format of PyTorch."""

    name = "pytorch-legacy"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a number of ten bytes, which nothing else starts with."""
        return size > len(torch_stream.MAGIC) + 2 and torch_stream.has_magic(head)

    def identify(self, window: Window) -> Identity:
        """The identity from the object's pickle; what lies behind it is not read."""
        weights = Weights()
        complete, problem = torch_stream.read(window, weights)
        return identity(self.name, window, weights, complete=complete, problem=problem)


FORMAT: Format = TorchLegacy()
