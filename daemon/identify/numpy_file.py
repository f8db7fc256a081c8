"""NumPy's files of one array: by themselves never a model, in the hands of a program that learns often its weights."""

from modelwarden.daemon.identify.reading import claims, numpy_header
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.shards import shard_of
from modelwarden.daemon.identify.sniffer import Format, Identity, Window


class Npy:
    """The npy format."""

    name = "npy"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the magic, with one of the three versions that there are."""
        return head[:6] == numpy_header.MAGIC and head[6:7] in {b"\1", b"\2", b"\3"} and size > 10

    def identify(self, window: Window) -> Identity:
        """What the header says of the array; what its elements are is not looked at."""
        types: dict[str, int] = {}
        problem = None
        try:
            array = numpy_header.parse(window.read(0, numpy_header.HEADER_LIMIT + 12))
            if array.needs > window.size:
                problem = claims.cut_short(window.size, array.needs)
            if array.kind is not None and array.kind != numpy_header.OBJECTS and claims.parameters(array.elements):
                types[array.kind] = array.elements
        except Damaged as damage:
            problem = str(damage)
        return Identity(
            self.name,
            parameters=sum(types.values()) or None,
            quantization=claims.dominant(types),
            problem=problem,
            tensor_types=tuple(types.items()),
            shard=shard_of(window.name),
            generic=True,
        )


FORMAT: Format = Npy()
