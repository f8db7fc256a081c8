"""Builders of real model files, by the libraries that people use, plus windows on bytes in memory."""

import json
import warnings
from pathlib import Path
from struct import pack

from hypothesis import strategies as st

from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT, Folder
from modelwarden.daemon.identify.sniffer import BudgetSpentError

BUDGET = 96 << 20


class Shelf:
    """A folder in memory: names with contents, and links with their targets."""

    def __init__(self, files: dict[str, bytes] | None = None, links: dict[str, str] | None = None) -> None:
        self.files = files or {}
        self.links = links or {}

    def read(self, name: str, limit: int = DOCUMENT_LIMIT) -> bytes | None:
        """As the opener gives it."""
        found = self.files.get(name)
        return found if found is not None and len(found) <= limit else None

    def names(self, name: str = "") -> tuple[str, ...]:
        """As the opener lists them."""
        prefix = f"{name.rstrip('/')}/" if name else ""
        below = (one[len(prefix) :] for one in (*self.files, *self.links) if one.startswith(prefix))
        return tuple(sorted({one.partition("/")[0] for one in below}))

    def target(self, name: str) -> str | None:
        """As it is written in the link."""
        return self.links.get(name)


class Memory:
    """A window on bytes, with a size that may be a lie."""

    def __init__(
        self, data: bytes, *, size: int | None = None, budget: int = BUDGET, name: str = "", beside: Shelf | None = None
    ) -> None:
        self.data = data
        self.name = name
        self.beside: Folder = beside or Shelf()
        self.left = budget
        self._size = len(data) if size is None else size

    @property
    def size(self) -> int:
        """What the file system would say."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """As FileWindow reads."""
        found = self.data[max(offset, 0) : max(offset, 0) + max(length, 0)] if offset < len(self.data) else b""
        self.left -= len(found)
        if self.left < 0:
            raise BudgetSpentError
        return found


def write_gguf(
    path: Path,
    *,
    name: str | None = "Tiny Llama",
    architecture: str = "llama",
    file_type: int | None = 15,
    license: str | None = "apache-2.0",  # noqa: A002
    size_label: str | None = None,
    vocabulary: int = 0,
    big_endian: bool = False,
    shapes: tuple[tuple[int, ...], ...] = ((64, 32), (32,)),
    split: tuple[int, int] | None = None,
) -> Path:
    """A GGUF file with float tensors of these shapes; `split` is its number among so many, counted from 0."""
    import gguf  # noqa: PLC0415
    import numpy  # noqa: PLC0415

    order = gguf.GGUFEndian.BIG if big_endian else gguf.GGUFEndian.LITTLE
    writer = gguf.GGUFWriter(path, architecture, endianess=order)
    if name is not None:
        writer.add_name(name)
    if license is not None:
        writer.add_license(license)
    if size_label is not None:
        writer.add_size_label(size_label)
    if file_type is not None:
        writer.add_file_type(file_type)
    if split is not None:
        writer.add_uint16(gguf.Keys.Split.LLM_KV_SPLIT_NO, split[0])
        writer.add_uint16(gguf.Keys.Split.LLM_KV_SPLIT_COUNT, split[1])
    if vocabulary:
        writer.add_token_list([f"token {number}" for number in range(vocabulary)])
        writer.add_token_scores([0.5] * vocabulary)
    for number, shape in enumerate(shapes):
        writer.add_tensor(f"blk.{number}.weight", numpy.zeros(shape, numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def gguf_string(text: bytes, counts: str = "<Q") -> bytes:
    """A string as GGUF has it."""
    return pack(counts, len(text)) + text


def gguf_key(key: str, kind: int, value: bytes, counts: str = "<Q") -> bytes:
    """A key with its encoded value."""
    return gguf_string(key.encode(), counts) + pack(counts[0] + "I", kind) + value


def gguf_bytes(*, version: int = 3, tensors: int = 0, keys: int | None = None, body: tuple[bytes, ...] = ()) -> bytes:
    """A little-endian GGUF header with any counts, true or not, before `body`."""
    counts = "<I" if version == 1 else "<Q"
    return (
        b"GGUF"
        + pack("<I", version)
        + pack(counts, tensors)
        + pack(counts, len(body) if keys is None else keys)
        + b"".join(body)
    )


def safetensors_bytes(
    tensors: dict[str, tuple[str, list[int], list[int]]], metadata: dict[str, str] | None = None, data: bytes = b""
) -> bytes:
    """A safetensors file, well-formed or not: name to dtype, shape, offsets."""
    header: dict[str, object] = {} if metadata is None else {"__metadata__": metadata}
    for name, (dtype, shape, offsets) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
    return safetensors_raw(json.dumps(header).encode(), data)


def safetensors_raw(header: bytes, data: bytes = b"") -> bytes:
    """A safetensors file with this header."""
    return pack("<Q", len(header)) + header + data


def write_safetensors(path: Path, metadata: dict[str, str] | None = None) -> Path:
    """A safetensors file as the library writes it: 2048 + 32 half floats, 8 floats."""
    import numpy  # noqa: PLC0415
    from safetensors.numpy import save_file  # noqa: PLC0415

    tensors = {
        "wte.weight": numpy.zeros((64, 32), numpy.float16),
        "wte.bias": numpy.zeros(32, numpy.float16),
        "norm.weight": numpy.zeros(8, numpy.float32),
    }
    save_file(tensors, path, metadata=metadata)
    return path


def write_torch(path: Path, *, half: bool = False) -> Path:
    """A state dictionary of 100 × 20 + 20 weights, one of them under two names."""
    import torch  # noqa: PLC0415

    layer = torch.nn.Linear(100, 20)
    state = {name: value.half() if half else value for name, value in layer.state_dict().items()}
    state["tied"] = state["weight"]
    torch.save(state, path)
    return path


def write_torchscript(path: Path) -> Path:
    """A scripted module of 100 × 20 + 20 weights."""
    import torch  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated by torch, used by the world
        torch.jit.save(torch.jit.script(torch.nn.Linear(100, 20)), path)
    return path


def mutations(valid: bytes) -> st.SearchStrategy[bytes]:
    """Damaged copies: bytes overwritten, a piece cut out, the end lost."""
    edges = (b"\x00", b"\xff", b"\xff" * 8, b"\x00" * 8, b"\x7f", b"\x80", b"(", b")", b"{", b'"', b"\xff\xff\xff\x7f")
    place = st.integers(0, len(valid) - 1)
    patch = st.tuples(place, st.sampled_from(edges) | st.binary(min_size=1, max_size=9))

    def apply(patches: list[tuple[int, bytes]], hole: tuple[int, int], end: int) -> bytes:
        data = bytearray(valid)
        for at, new in patches:
            data[at : at + len(new)] = new
        if hole[1]:
            del data[hole[0] : hole[0] + hole[1]]
        return bytes(data[:end])

    return st.builds(
        apply,
        st.lists(patch, max_size=6),
        st.tuples(place, st.sampled_from((0, 0, 1, 8, 100))),
        st.just(len(valid)) | st.integers(0, len(valid)),
    )
