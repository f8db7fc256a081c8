"""The sums over the tensors of a file: how many weights it has and how they are stored."""

from collections.abc import Iterable

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import Damaged

DIMENSIONS_LIMIT = 64
TYPES_LIMIT = 64
"""Types that are told apart; numbers that mean nothing could name as many as there are tensors."""


class Tally:
    """Weights by the type in which they are stored."""

    __slots__ = ("parameters", "types")

    def __init__(self) -> None:
        self.parameters = 0
        self.types: dict[str, int] = {}

    def add(self, kind: str, weights: int) -> None:
        """Count a tensor; raises `Damaged` when the sum is more than any model has."""
        if not weights:
            return
        self.parameters += weights
        if self.parameters > claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)
        if kind not in self.types and len(self.types) >= TYPES_LIMIT:
            kind = "other"
        self.types[kind] = self.types.get(kind, 0) + weights

    @property
    def dominant(self) -> str | None:
        """The type that most weights have."""
        return claims.dominant(self.types)

    @property
    def tensor_types(self) -> tuple[tuple[str, int], ...]:
        """As an identity has them: most weights first."""
        return claims.most_first(self.types)


def weights_of(shape: Iterable[int]) -> int:
    """The product of a shape; raises `Damaged` for one that no tensor has."""
    weights = 1
    for rank, size in enumerate(shape):
        if rank == DIMENSIONS_LIMIT or not 0 <= size <= claims.PARAMETERS_LIMIT:
            raise Damaged(claims.TOO_MANY_PARAMETERS)
        # Cut off, so that the product of 64 large sizes stays a short number.
        weights = min(weights * size, claims.PARAMETERS_LIMIT + 1)
    return weights
