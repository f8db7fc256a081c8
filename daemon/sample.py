"""Renders the sample of a TOML file from the docstrings of its types, so that the two cannot drift apart."""

import ast
import inspect
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from modelwarden.daemon.toml_file import as_toml

WIDTH = 100

_EXAMPLE = re.compile(r"\s*Example: `(?P<value>.+)`\s*\Z", re.DOTALL)


def field_docstrings(struct: type) -> dict[str, str]:
    """The string that stands below each field of a class, by the field's name, from the module's source."""
    tree = ast.parse(inspect.getsource(sys.modules[struct.__module__]))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == struct.__name__)
    found = {}
    for field, below in pairwise(body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                found[name] = inspect.cleandoc(text)
    return found


def render_sample(root: type[msgspec.Struct]) -> str:
    """The sample: prose as `# …`, each setting as `#key = value`; take the `#` away to change it."""
    return "\n".join([*_prose(inspect.getdoc(root)), *_tables(root, ())]) + "\n"


def _tables(struct: type[msgspec.Struct], path: tuple[str, ...]) -> Iterator[str]:
    docs = field_docstrings(struct)
    for field in msgspec.structs.fields(struct):
        inner = _struct_in(field.type)
        if inner is None:
            yield from _setting(field, docs.get(field.name, ""))
            continue
        dotted = ".".join((*path, field.encode_name))
        many = typing.get_origin(field.type) is tuple
        yield ""
        yield from _prose(docs.get(field.name))
        yield from _prose(inspect.getdoc(inner))
        header = f"[[{dotted}]]" if many else f"[{dotted}]"
        # A section that means something by being there, or an entry of a list, is shown only.
        shown_only = many or field.default is None
        yield f"#{header}" if shown_only else header
        yield from _tables(inner, (*path, field.encode_name))


def _setting(field: msgspec.structs.FieldInfo, doc: str) -> Iterator[str]:
    match = _EXAMPLE.search(doc)
    yield from _prose(doc[: match.start()] if match else doc)
    value = match["value"] if match else as_toml(field.default)
    yield f"#{field.encode_name} = {value}"


def _prose(doc: str | None) -> Iterator[str]:
    for paragraph in (doc or "").split("\n\n"):
        for line in textwrap.wrap(" ".join(paragraph.split()), WIDTH - 2, break_long_words=False):
            yield f"# {line}"


def _struct_in(annotation: object) -> type[msgspec.Struct] | None:
    """The table type in `Table`, `Table | None` or `tuple[Table, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    if typing.get_origin(annotation) in {tuple, types.UnionType, typing.Union}:
        for argument in typing.get_args(annotation):
            if (found := _struct_in(argument)) is not None:
                return found
    return None
