"""NumPy's archives of arrays, in which JAX, MLX and others keep weights; without their names, arrays of anything."""

import re

from modelwarden.daemon.identify.reading import claims, numpy_header
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.shards import shard_of
from modelwarden.daemon.identify.reading.zip_directory import LOCAL, Member, begin_member, members
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

ARRAYS_LIMIT = 4000
"""Arrays whose headers are read; models in this format have some hundred."""
HEADER_BYTES = 4096
"""Bytes of each array that are read: a header has 118, unless it has very many columns."""
WEIGHTS = re.compile(
    r"[./](?:weights?|kernel|bias(?:es)?|gamma|beta|scales?|embeddings?|(?:moving|running)_(?:mean|var|variance))\Z"
)
"""How the names of weights end in the trees of layers that frameworks write."""


class Arrays:
    """The sums over the members of one archive."""

    __slots__ = ("count", "kinds", "named", "others", "unread")

    def __init__(self) -> None:
        self.count = 0
        self.named = 0
        """Arrays that are named as weights are."""
        self.others = 0
        """Members that are no arrays."""
        self.kinds: dict[str, int] = {}
        self.unread = False

    def add(self, window: Window, member: Member) -> None:
        """Take one member; raises `Damaged` where its array is none."""
        if not member.name.endswith(".npy"):
            self.others += 1
            return
        self.count += 1
        self.named += WEIGHTS.search(member.name.removesuffix(".npy")) is not None
        if self.count > ARRAYS_LIMIT:
            self.unread = True
            return
        array = numpy_header.parse(begin_member(window, member, HEADER_BYTES))
        if array.kind is not None and array.kind != numpy_header.OBJECTS:
            self.kinds[array.kind] = self.kinds.get(array.kind, 0) + array.elements
            if sum(self.kinds.values()) > claims.PARAMETERS_LIMIT:
                raise Damaged(claims.TOO_MANY_PARAMETERS)

    @property
    def are_weights(self) -> bool:
        """Whether most arrays are named as those of a model are."""
        return self.named >= 2 and self.named * 2 > self.count


class Npz:
    """The npz format."""

    name = "npz"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a local file header at the start, as numpy writes it."""
        return head[:4] == b"PK\3\4" and size > 30

    def identify(self, window: Window) -> Identity | None:
        """The sums over the arrays' headers; `None` for an archive that holds anything but arrays."""
        arrays, problem = Arrays(), None
        if not _begins_with_array(window):
            return None
        try:
            for member in members(window):
                arrays.add(window, member)
                if arrays.others:
                    return None
        except Damaged as damage:
            problem = str(damage)
        except BudgetSpentError:
            problem = "it is larger than an inspection reads"
        complete = problem is None and not arrays.unread
        return Identity(
            self.name,
            parameters=claims.parameters(sum(arrays.kinds.values())) if complete else None,
            quantization=claims.dominant(arrays.kinds),
            problem=problem,
            tensor_types=claims.most_first(arrays.kinds),
            shard=shard_of(window.name),
            generic=not arrays.are_weights,
        )


def _begins_with_array(window: Window) -> bool:
    head = window.read(0, LOCAL.size + 1024)
    if len(head) < LOCAL.size:
        return False
    return head[LOCAL.size : LOCAL.size + LOCAL.unpack_from(head)[9]].endswith(b".npy")


FORMAT: Format = Npz()
