"""What the calls in a pickle written by PyTorch would rebuild: tensors over storages.

Source: `torch/_utils.py` (`_rebuild_*`), `torch/serialization.py` (`persistent_id`).
"""

from typing import NamedTuple

SHAPE_LIMIT = 64
ELEMENTS_MAX = 1 << 63
"""Longer numbers, which a pickle may have, would only cost time: no file has so many bytes."""


class Name(str):
    """A global by its dotted name, as a pickle refers to it."""

    __slots__ = ()


class ModuleClass(Name):
    """The class of a module, where PyTorch's legacy format says that it is one."""

    __slots__ = ()


class Storage(NamedTuple):
    """A reference to stored weights: the element type's name, the member's key, the number of elements."""

    kind: str
    key: str
    elements: int


class Tensor(NamedTuple):
    """A tensor over a storage: `kind` names the element type, `weights` is the product of its shape."""

    kind: str
    storage: Storage
    weights: int


def persistent(reference: object) -> Storage | ModuleClass | None:
    """What a persistent identifier stands for: stored weights, or (in the legacy format) the class of a module.

    From `('storage', <type>, <key>, <device>, <elements>, …)` or `('module', <class>, <file>, <source>)`.
    """
    match reference:
        case ("storage", Name() as kind, str() as key, _, int() as elements, *_):
            return Storage(kind.rpartition(".")[2], key, min(max(0, elements), ELEMENTS_MAX))
        case ("module", Name() as name, *_):
            return ModuleClass(name)
        case _:
            return None


def rebuilt(function: Name, arguments: tuple[object, ...]) -> Tensor | None:
    """The tensor that a call gives, `None` for any other call."""
    match function.rpartition(".")[2], arguments:
        case ("_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_qtensor", (Storage() as storage, _, shape, *_)):
            return _tensor(storage, shape, storage.kind)
        case ("_rebuild_tensor_v3", (Storage() as storage, _, shape, _, _, _, Name() as kind, *_)):
            return _tensor(storage, shape, kind.rpartition(".")[2])
        case ("_rebuild_from_type_v2", (Name() as inner, _, tuple() as inside, *_)):
            # Parameters are not looked for: the tensor inside one was counted when it was rebuilt.
            return None if inner.endswith("_rebuild_from_type_v2") else rebuilt(inner, inside)
        case _:
            return None


def _tensor(storage: Storage, shape: object, kind: str) -> Tensor | None:
    if not isinstance(shape, tuple) or len(shape) > SHAPE_LIMIT:
        return None
    weights = 1
    for size in shape:
        if not isinstance(size, int) or size < 0:
            return None
        # An expanded tensor shows one weight many times; it has no more than its storage.
        weights = min(weights * size, storage.elements)
    return Tensor(kind, storage, weights)
