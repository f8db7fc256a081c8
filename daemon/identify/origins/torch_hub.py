"""The checkpoints of torch.hub, which torchvision, timm and others download.

Source: `torch/hub.py` (`load_state_dict_from_url`, `HASH_REGEX`): `<hub>/checkpoints/<name>-<first digits of its
SHA-256>.<suffix>`; the hub is `$TORCH_HOME/hub`, else `$XDG_CACHE_HOME/torch/hub`, else `~/.cache/torch/hub`.
"""

import re
from collections.abc import Mapping

from modelwarden.daemon.identify.origins.origin import Location, Origin, Source
from modelwarden.daemon.identify.origins.reading.paths import after, below, variable
from modelwarden.daemon.identify.reading.folder import Folder

_NAME = re.compile(r"(.+?)(?:-([0-9a-f]{8,64}))?\.[A-Za-z0-9]+", re.ASCII)


class TorchHub:
    """The folder of the default and the one that a variable names."""

    name = "torch_hub"
    variables: tuple[str, ...] = ("TORCH_HOME",)

    def locate(self, path: str, environment: Mapping[str, str]) -> Location | None:
        """Files that lie directly among the checkpoints, whole ones."""
        moved = variable(environment, "TORCH_HOME", "hub", "checkpoints")
        found = after(path, "torch", "hub", "checkpoints") or below(path, (moved,))
        return found if found is not None and not found.up and not path.endswith(".partial") else None

    def trace(self, location: Location, store: Folder) -> Source | None:  # noqa: ARG002 - nothing is written beside
        """The name; the digits of the hash that torch checks stand for a revision."""
        parts = _NAME.fullmatch(location.inside)
        return Source(self.name, name=parts[1] if parts else location.inside, revision=parts[2] if parts else None)


ORIGIN: Origin = TorchHub()
