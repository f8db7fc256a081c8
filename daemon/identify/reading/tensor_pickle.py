"""The tensors that a pickle written by PyTorch would rebuild, found without unpickling.

A pickle is a program for a small stack machine. This walks over its opcodes with `pickletools` and
keeps only what describes tensors: numbers, tuples, names and storage references. Nothing is called.
Source: `torch/_utils.py` (`_rebuild_*`), `torch/serialization.py` (`persistent_id`).
"""

import pickletools
import struct
from collections.abc import Iterator
from typing import NamedTuple

from modelwarden.daemon.identify.reading.damage import Damaged

OPCODES_LIMIT = 300_000
"""A state dictionary has about 40 for each tensor; a walk of this length takes half a second."""
SHAPE_LIMIT = 64
ELEMENTS_MAX = 1 << 63
"""Longer numbers, which a pickle may have, would only cost time: no file has so many bytes."""
NAME_LIMIT = 300


class Name(str):
    """A global by its dotted name, as a pickle refers to it."""

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


class _Mark:
    """What MARK pushes."""


_MARK = _Mark()


def walk(pickle: bytes) -> Iterator[Name | Tensor]:
    """The globals and tensors of a pickle in order; raises `Damaged` where the pickle is no program."""
    stack: list[object] = []
    memo: dict[int, object] = {}
    operations = pickletools.genops(pickle)
    for _ in range(OPCODES_LIMIT):
        try:
            opcode, argument, _position = next(operations)
            value = _step(opcode, argument, stack, memo)
        except StopIteration:
            return
        except (ValueError, IndexError, struct.error, OverflowError, Warning):
            # Warnings only where a caller made them errors: odd escapes in old string opcodes.
            raise Damaged("its pickle is damaged") from None
        if value is not None:
            yield value
    raise Damaged("its pickle is longer than an inspection reads")


def _step(
    opcode: pickletools.OpcodeInfo, argument: object, stack: list[object], memo: dict[int, object]
) -> Name | Tensor | None:
    """Carry out one opcode; the result is a global that it names or a tensor that it rebuilds."""
    name = opcode.name
    if name in {"BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"}:
        memo[argument if isinstance(argument, int) else len(memo)] = stack[-1]
        return None
    if name in {"BINGET", "LONG_BINGET", "GET"}:
        stack.append(memo.get(argument) if isinstance(argument, int) else None)
        return None
    if name == "DUP":
        stack.append(stack[-1])
        return None
    if name == "MARK":
        stack.append(_MARK)
        return None
    taken = _take(opcode, stack)
    result = _result(name, argument, taken)
    if opcode.stack_after:
        # A list or dictionary that grows in place comes back as it was: nobody asks what it holds.
        stack.extend([None] * (len(opcode.stack_after) - 1))
        stack.append(result)
    return result if isinstance(result, (Name, Tensor)) else None


def _take(opcode: pickletools.OpcodeInfo, stack: list[object]) -> list[object]:
    before = opcode.stack_before
    taken: list[object] = []
    if pickletools.stackslice in before or before[-1:] == [pickletools.markobject]:
        while (top := stack.pop()) is not _MARK:
            taken.append(top)
    fixed = [part for part in before if part is not pickletools.markobject and part is not pickletools.stackslice]
    taken.extend(stack.pop() for _ in fixed)
    taken.reverse()
    return taken


def _result(name: str, argument: object, taken: list[object]) -> object:
    match name:
        case "TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3" | "EMPTY_TUPLE":
            return tuple(taken)
        case "GLOBAL":
            return Name(str(argument)[:NAME_LIMIT].replace(" ", ".", 1))
        case "STACK_GLOBAL":
            return Name(f"{taken[0]}.{taken[1]}"[:NAME_LIMIT])
        case "BINPERSID":
            return _storage(taken[0])
        case "REDUCE" | "NEWOBJ":
            return _rebuilt(taken[0], taken[1])
        case _:
            # Everything else is a constant of its opcode, or of no interest.
            is_short = isinstance(argument, int) or (isinstance(argument, str) and len(argument) <= NAME_LIMIT)
            return argument if is_short else None


def _storage(reference: object) -> Storage | None:
    """From `('storage', <type>, <key>, <device>, <elements>)`."""
    match reference:
        case ("storage", Name() as kind, str() as key, _, int() as elements, *_):
            return Storage(kind.rpartition(".")[2], key, min(max(0, elements), ELEMENTS_MAX))
        case _:
            return None


def _rebuilt(function: object, arguments: object) -> Tensor | None:
    if not isinstance(function, Name) or not isinstance(arguments, tuple) or not arguments:
        return None
    match function.rpartition(".")[2], arguments:
        case ("_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_qtensor", (Storage() as storage, _, shape, *_)):
            return _tensor(storage, shape, storage.kind)
        case ("_rebuild_tensor_v3", (Storage() as storage, _, shape, _, _, _, Name() as kind, *_)):
            return _tensor(storage, shape, kind.rpartition(".")[2])
        case ("_rebuild_parameter" | "_rebuild_parameter_with_state", (Tensor(), *_)):
            return None  # the tensor inside was counted when it was rebuilt
        case ("_rebuild_from_type_v2", (Name() as inner, _, tuple() as inside, *_)):
            return None if inner.endswith("_rebuild_from_type_v2") else _rebuilt(inner, inside)
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
