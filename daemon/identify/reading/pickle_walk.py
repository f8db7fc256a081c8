"""A walk over a pickle that finds what it names and which tensors it would rebuild, without unpickling.

A pickle is a program for a small stack machine. This is that machine with all power taken away: nothing is imported,
called or built. The stack holds names, numbers, short text, short tuples and references to weights; anything else is
`None` on it. Source: `pickle.py` of CPython for the machine, `pickletools.py` for its opcodes.
"""

from collections.abc import Callable, Iterator
from typing import ClassVar

from modelwarden.daemon.identify.reading.cursor import Cursor
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.joblib_arrays import WRAPPER, ArrayType, Record, Wrapper
from modelwarden.daemon.identify.reading.opcodes import NO_PICKLE, TEXT_LIMIT, Opcode, operations
from modelwarden.daemon.identify.reading.tensor_pickle import Name, Tensor, persistent, rebuilt

OPCODES_LIMIT = 300_000
"""A state dictionary has about 40 for each tensor; a walk of this length takes a third of a second."""
TUPLE_LIMIT = 64
"""Longer tuples are of no interest: a shape has no more numbers, a reference six parts."""
TEXT_TOTAL = 6 << 20
"""Characters of names and other text that are kept in all: a character may take four bytes."""
NESTED_LIMIT = 8
TOO_LONG = "its pickle is longer than an inspection reads"

Handler = Callable[["Walk", Opcode, object], "Name | Tensor | None"]


class Walk:
    """One pickle from where a cursor stands to its STOP, behind which the cursor is left."""

    __slots__ = ("_cursor", "_limit", "_marks", "_memo", "_outer", "_room", "_stack", "result", "steps", "stopped")

    def __init__(self, cursor: Cursor, limit: int = OPCODES_LIMIT) -> None:
        self._cursor = cursor
        self._limit = limit
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}
        self._outer: list[tuple[list[object], list[int], dict[int, object]]] = []
        """The states of the pickles around this one: joblib puts one into another for an array of objects."""
        self._room = TEXT_TOTAL
        self.steps = 0
        """How many opcodes were carried out."""
        self.stopped = False
        """Whether STOP was reached with one object on the stack, as every pickler leaves it."""
        self.result: object = None
        """That object, where it is one of those that are kept."""

    def found(self) -> Iterator[Name | Tensor]:
        """The globals and tensors in order; raises `Damaged` where the pickle is no program."""
        for opcode, argument in operations(self._cursor):
            self.steps += 1
            if self.steps > self._limit:
                raise Damaged(TOO_LONG)
            if isinstance(argument, str):
                self._keep(argument)
            handler = self.HANDLERS.get(opcode.name)
            if handler is None:
                self._do_plain(opcode, argument)
                continue
            found = handler(self, opcode, argument)
            if found is not None:
                yield found
            if self.stopped:
                return

    def finish(self) -> object:
        """The object that the pickle leaves, walked to its end; raises `Damaged` as `found` does."""
        for _ in self.found():
            pass
        return self.result

    def _keep(self, text: str) -> None:
        """Account for text that will stay in memory."""
        self._room -= len(text)
        if self._room < 0:
            raise Damaged(TOO_LONG)

    def _pop(self, count: int) -> list[object]:
        stack = self._stack
        start = len(stack) - count
        if start < (self._marks[-1] if self._marks else 0):
            raise Damaged(NO_PICKLE)
        taken = stack[start:]
        del stack[start:]
        return taken

    def _pop_to_mark(self) -> list[object]:
        if not self._marks:
            raise Damaged(NO_PICKLE)
        start = self._marks.pop()
        taken = self._stack[start:]
        del self._stack[start:]
        return taken

    def _top(self) -> object:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise Damaged(NO_PICKLE)
        return self._stack[-1]

    def _do_plain(self, opcode: Opcode, argument: object) -> None:
        """A constant, or an opcode of which only the effect on the stack is of interest."""
        if opcode.to_mark:
            self._pop_to_mark()
        if opcode.pops:
            self._pop(opcode.pops)
        for _ in range(opcode.pushes):
            self._stack.append(argument)

    def _do_mark(self, _opcode: Opcode, _argument: object) -> None:
        self._marks.append(len(self._stack))

    def _do_pop(self, _opcode: Opcode, _argument: object) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._pop(1)

    def _do_dup(self, _opcode: Opcode, _argument: object) -> None:
        self._stack.append(self._top())

    def _do_put(self, _opcode: Opcode, argument: object) -> None:
        self._memo[argument if isinstance(argument, int) else len(self._memo)] = self._top()

    def _do_get(self, _opcode: Opcode, argument: object) -> None:
        if not isinstance(argument, int) or argument not in self._memo:
            raise Damaged(NO_PICKLE)
        self._stack.append(self._memo[argument])

    def _do_tuple(self, opcode: Opcode, _argument: object) -> None:
        taken = self._pop_to_mark() if opcode.to_mark else self._pop(opcode.pops)
        self._stack.append(tuple(taken) if len(taken) <= TUPLE_LIMIT else None)

    def _do_dict(self, _opcode: Opcode, _argument: object) -> None:
        self._stack.append(Record())

    def _do_grow(self, opcode: Opcode, _argument: object) -> None:
        """Put items into the container below them."""
        items = self._pop_to_mark() if opcode.to_mark else self._pop(opcode.pops - 1)
        container = self._top()
        if isinstance(container, Record) and opcode.name in {"SETITEM", "SETITEMS"}:
            container.take(items)

    def _do_global(self, _opcode: Opcode, argument: object) -> Name:
        name = Name(argument)
        self._stack.append(name)
        return name

    def _do_stack_global(self, _opcode: Opcode, _argument: object) -> Name | None:
        module, name = self._pop(2)
        # Names that were too long to be kept are none. Anything else that is no text may be huge when it is shown.
        named = Name(f"{module}.{name}"[:TEXT_LIMIT]) if isinstance(module, str) and isinstance(name, str) else None
        self._keep(named or "")
        self._stack.append(named)
        return named

    def _do_instance(self, opcode: Opcode, argument: object) -> Name | None:
        taken = self._pop_to_mark()
        if opcode.name == "OBJ" and not taken:
            raise Damaged(NO_PICKLE)
        self._stack.append(None)
        return Name(argument) if opcode.name == "INST" else None

    def _do_persistent(self, _opcode: Opcode, _argument: object) -> Name | None:
        meant = persistent(self._pop(1)[0])
        self._stack.append(meant)
        return meant if isinstance(meant, Name) else None

    def _do_call(self, opcode: Opcode, _argument: object) -> Tensor | None:
        function, arguments, *_ = self._pop(opcode.pops)
        result: object = None
        if isinstance(function, Name) and isinstance(arguments, tuple):
            if function == WRAPPER:
                result = Wrapper()
            elif function == "numpy.dtype" and arguments:
                result = ArrayType(arguments[0])
            else:
                result = rebuilt(function, arguments)
        self._stack.append(result)
        return result if isinstance(result, Tensor) else None

    def _do_build(self, _opcode: Opcode, _argument: object) -> None:
        [state] = self._pop(1)
        built = self._top()
        if isinstance(built, ArrayType):
            built.build(state)
        elif isinstance(built, Wrapper):
            if isinstance(state, Record):
                built.state = state
            self._stack[-1] = None
            self._step_over(built)

    def _step_over(self, array: Wrapper) -> None:
        """Go behind the bytes of an array, or into the pickle that stands in their place."""
        if array.has_objects:
            if len(self._outer) >= NESTED_LIMIT:
                raise Damaged(NO_PICKLE)
            self._outer.append((self._stack, self._marks, self._memo))
            self._stack, self._marks, self._memo = [], [], {}
            return
        if array.is_padded:
            self._cursor.skip(self._cursor.take(1)[0])
        self._cursor.skip(array.length())

    def _do_stop(self, _opcode: Opcode, _argument: object) -> None:
        [result] = self._pop(1)
        if self._stack or self._marks:
            raise Damaged(NO_PICKLE)
        if self._outer:
            self._stack, self._marks, self._memo = self._outer.pop()
        else:
            self.result, self.stopped = result, True

    HANDLERS: ClassVar[dict[str, Handler]] = {
        **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _do_put),
        **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _do_get),
        **dict.fromkeys(("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"), _do_tuple),
        **dict.fromkeys(("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"), _do_grow),
        **dict.fromkeys(("REDUCE", "NEWOBJ", "NEWOBJ_EX"), _do_call),
        **dict.fromkeys(("INST", "OBJ"), _do_instance),
        "BINPERSID": _do_persistent,
        "BUILD": _do_build,
        "DUP": _do_dup,
        "EMPTY_DICT": _do_dict,
        "GLOBAL": _do_global,
        "MARK": _do_mark,
        "POP": _do_pop,
        "STACK_GLOBAL": _do_stack_global,
        "STOP": _do_stop,
    }
