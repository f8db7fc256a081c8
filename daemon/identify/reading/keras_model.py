"""What Keras writes of a model: its configuration, and an HDF5 file of its weights.

Source: keras 3.15, `src/saving/saving_lib.py` (`H5IOStore`) and `src/legacy/saving/legacy_h5_format.py`.
"""

import re
from collections.abc import Mapping

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.hdf5_layout import TOO_MUCH, Layout, Message
from modelwarden.daemon.identify.reading.hdf5_objects import dataset, links

OPTIMIZER = frozenset(("optimizer", "optimizer_weights"))
"""What training keeps beside the weights."""
OBJECTS_LIMIT = 20_000
"""Groups and datasets: a model of a thousand layers has some 6000."""
_AUTOMATIC = re.compile(r"(?:model|sequential|functional)(?:_[0-9]{1,9})?")


def top_level(file: Layout, messages: list[Message]) -> dict[str, int]:
    """The addresses of what a group holds, by name."""
    found: dict[str, int] = {}
    for name, address in links(file, messages):
        found[name] = address
        if len(found) > OBJECTS_LIMIT:
            raise Damaged(TOO_MUCH)
    return found


class Weights:
    """The sums over the datasets of an HDF5 file."""

    __slots__ = ("parameters", "stored", "types")

    def __init__(self) -> None:
        self.parameters = 0
        self.types: dict[str, int] = {}
        self.stored = 0
        """Bytes that they must have in the file."""

    def read(self, file: Layout, start: Mapping[str, int]) -> None:
        """Add up what is below the named objects, without an optimizer's; raises `Damaged` with the sums up to there.

        An object that has two names, or that holds itself, counts once.
        """
        waiting = [address for name, address in start.items() if name not in OPTIMIZER]
        seen = set(waiting)
        while waiting:
            messages = file.messages(waiting.pop())
            found = dataset(file, messages)
            if found is not None:
                self._add(found.type, found.weights, found.stored)
                continue
            for _name, address in links(file, messages, named=False):
                if address not in seen:
                    seen.add(address)
                    waiting.append(address)
            if len(seen) > OBJECTS_LIMIT:
                raise Damaged(TOO_MUCH)

    def _add(self, kind: str, weights: int, stored: int) -> None:
        self.parameters += weights
        self.stored += stored
        self.types[kind] = self.types.get(kind, 0) + weights
        if self.parameters > claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)


def architecture(config: Mapping[str, object]) -> str | None:
    """The class of the model: `Sequential`, `Functional`, or one of the user's."""
    return claims.text(config.get("class_name"))


def config_name(config: Mapping[str, object]) -> str | None:
    """The model's name, unless it is one that Keras gave by counting."""
    inner = config.get("config")
    return telling(inner.get("name")) if isinstance(inner, dict) else None


def telling(claim: object) -> str | None:
    """A name that somebody chose."""
    found = claims.text(claim)
    return None if found is None or _AUTOMATIC.fullmatch(found) else found
