"""The formats of ggml before GGUF; whisper.cpp still uses the first of them.

Source: `whisper_model_load` in whisper.cpp; `llama_file_version` of llama.cpp before GGUF (May 2023); the numbers of
`enum ggml_ftype` in `ggml.h`.
"""

from math import prod
from struct import Struct

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.attempt import HEADER_TOO_LARGE, trouble
from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.ggml import FILE_TYPES, TENSOR_TYPES
from modelwarden.daemon.identify.sniffer import Format, Identity, Window

PLAIN, VERSIONS = b"lmgg", {b"fmgg": range(1, 256), b"tjgg": range(1, 4), b"algg": range(1, 2)}
"""The magics, as they stand in a file of little-endian numbers; behind each but the first stands a version.

rwkv.cpp counts its versions from 100.
"""
VOCABULARY_MAX = 1 << 20
WHISPER_VOCABULARIES = (51_864, 51_865, 51_866)
WHISPER_MELS = (80, 128)
QUANTIZATION_VERSION = 1000
"""The factor by which a version is put into the file type (`GGML_QNT_VERSION_FACTOR`)."""
WHISPER_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K",
    13: "Q5_K", 14: "Q6_K",
}  # fmt: skip
TENSORS_LIMIT = 10_000
"""The largest whisper has 1260."""
_WHISPER = Struct("<11i")
_LLAMA = Struct("<7I")
_NUMBER = Struct("<I")


class GgmlLegacy:
    """The formats of ggml without a name for what they hold."""

    name = "ggml"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the magic, with a version or a vocabulary behind it that can be one."""
        number = int.from_bytes(head[4:8], "little")
        if size < 64:
            return False
        return number in VERSIONS.get(head[:4], ()) or (head[:4] == PLAIN and 1 <= number <= VOCABULARY_MAX)

    def identify(self, window: Window) -> Identity:
        """The identity of a whisper or a llama; of any other only that it is a model."""
        head = window.read(0, 64).ljust(64, b"\0")
        if head[:4] == PLAIN:
            vocabulary, *_others, mels, kind = _WHISPER.unpack_from(head, 4)
            if vocabulary in WHISPER_VOCABULARIES and mels in WHISPER_MELS:
                return self._whisper(window, WHISPER_TYPES.get(kind % QUANTIZATION_VERSION))
        if head[:4] != b"algg" and head[4:8] in {b"\1\0\0\0", b"\2\0\0\0", b"\3\0\0\0"}:
            _vocabulary, width, _step, heads, _layers, rotated, kind = _LLAMA.unpack_from(head, 8)
            # Other models have other numbers here: these two stand in a relation in a llama only.
            if heads and width == heads * rotated:
                return Identity(self.name, architecture="llama", quantization=FILE_TYPES.get(kind))
        return Identity(self.name)

    def _whisper(self, window: Window, quantization: str | None) -> Identity:
        types: dict[str, int] = {}
        problem = trouble(lambda: _read_tensors(window, types), HEADER_TOO_LARGE)
        return Identity(
            self.name,
            architecture="whisper",
            parameters=claims.parameters(sum(types.values())) if problem is None else None,
            quantization=quantization or claims.dominant(types),
            problem=problem,
            tensor_types=claims.most_first(types) if problem is None else (),
        )


def _read_tensors(window: Window, types: dict[str, int]) -> None:
    """Add up the tensors of a whisper, which stand behind its filters and its vocabulary up to the end of the file."""
    cursor = Cursor(window, 4 + _WHISPER.size)
    cursor.skip(4 * cursor.number(_NUMBER) * cursor.number(_NUMBER))
    tokens = cursor.number(_NUMBER)
    if tokens > VOCABULARY_MAX:
        raise Damaged("its vocabulary is larger than an inspection reads")
    cursor.skip_strings(tokens, _NUMBER)
    cursor = Cursor(window, cursor.offset, chunk=256)
    for _ in range(TENSORS_LIMIT):
        if cursor.offset == window.size:
            return
        dimensions, length, kind = (cursor.number(_NUMBER) for _ in range(3))
        if dimensions > 4 or kind not in TENSOR_TYPES:
            raise Damaged("a tensor of it is damaged")
        weights = prod(cursor.number(_NUMBER) for _ in range(dimensions))
        name, per_block, block_bytes = TENSOR_TYPES[kind]
        cursor.skip(length + weights // per_block * block_bytes)
        types[name] = types.get(name, 0) + weights
    raise Damaged("it has more tensors than an inspection reads")


FORMAT: Format = GgmlLegacy()
