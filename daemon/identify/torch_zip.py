"""PyTorch's zip archives: what `torch.save` has written since 1.6, TorchScript among them."""

from modelwarden.daemon.identify.reading import torch_archive
from modelwarden.daemon.identify.reading.torch_identity import identity
from modelwarden.daemon.identify.sniffer import Format, Identity, Window


class TorchZip:
    """The zip format of PyTorch; TorchScript archives are reported under their own name."""

    name = "pytorch-zip"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a local file header at the start: torch looks nowhere else."""
        return head[:4] == b"PK\3\4" and size > 30

    def identify(self, window: Window) -> Identity | None:
        """The identity from the table of contents and `data.pkl`; `None` for any other zip archive."""
        archive = torch_archive.read(window)
        if archive is None:
            return None
        return identity(
            "torchscript" if archive.is_script else self.name,
            window,
            archive.weights,
            complete=archive.is_complete,
            problem=archive.problem,
            name=archive.root,
        )


FORMAT: Format = TorchZip()
