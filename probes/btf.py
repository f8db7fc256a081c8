"""Asks the running kernel's BTF, through libbpf, where the fields that the probes read are; renders them as C."""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from modelwarden.probes.libbpf import library
from modelwarden.probes.probe import Reads

KERNEL_BTF = Path("/sys/kernel/btf/vmlinux")

# Kinds and layouts: include/uapi/linux/btf.h.
_KIND_INT, _KIND_PTR, _KIND_ARRAY, _KIND_STRUCT, _KIND_UNION, _KIND_ENUM = 1, 2, 3, 4, 5, 6
_KIND_TYPEDEF, _KIND_FUNCTION = 8, 12
_WRAPPERS = {8, 9, 10, 11, 18}  # typedef, volatile, const, restrict, type tag
_SCALARS = {_KIND_INT, _KIND_ENUM, 19}  # and enum64


class MissingFieldError(Exception):
    """The running kernel has no such struct or field: the probe that reads it cannot be compiled."""


class _Type(ctypes.Structure):
    _fields_ = (("name", ctypes.c_uint32), ("info", ctypes.c_uint32), ("size_or_type", ctypes.c_uint32))


class _Member(ctypes.Structure):
    _fields_ = (("name", ctypes.c_uint32), ("type", ctypes.c_uint32), ("offset", ctypes.c_uint32))


class Btf:
    """The types of one kernel. Raises `OSError` when the kernel offers none."""

    def __init__(self, path: Path = KERNEL_BTF) -> None:
        lib = library()
        lib.btf__parse.restype = ctypes.c_void_p
        lib.btf__type_by_id.restype = ctypes.POINTER(_Type)
        lib.btf__name_by_offset.restype = ctypes.c_char_p
        lib.btf__resolve_size.restype = ctypes.c_int64
        self._lib = lib
        parsed = lib.btf__parse(os.fsencode(path), None)
        if not parsed:
            raise OSError(ctypes.get_errno(), "no BTF: the kernel was built without CONFIG_DEBUG_INFO_BTF", str(path))
        self._btf = ctypes.c_void_p(parsed)

    def close(self) -> None:
        """Frees the parsed types (some 10 MB)."""
        self._lib.btf__free(self._btf)

    def has_struct(self, name: str) -> bool:
        """Whether the kernel has a struct of this name."""
        return bool(self._lib.btf__find_by_name_kind(self._btf, name.encode(), _KIND_STRUCT) > 0)

    def has_field(self, struct: str, path: str) -> bool:
        """Whether the kernel has a struct of this name with such a field."""
        try:
            self.field(self.struct(struct), path)
        except MissingFieldError:
            return False
        return True

    def function(self, name: str) -> int | None:
        """The identifier of a function that programs may be attached to, `None` when the kernel has none."""
        found: int = self._lib.btf__find_by_name_kind(self._btf, name.encode(), _KIND_FUNCTION)
        return found if found > 0 else None

    def has_raw_tracepoint(self, name: str) -> bool:
        """Whether the kernel has a tracepoint of this name: each has a type for its programs."""
        typed = f"btf_trace_{name}".encode()
        return bool(self._lib.btf__find_by_name_kind(self._btf, typed, _KIND_TYPEDEF) > 0)

    def struct(self, name: str) -> int:
        """The identifier of a struct; `MissingFieldError` when the kernel has none of that name."""
        found: int = self._lib.btf__find_by_name_kind(self._btf, name.encode(), _KIND_STRUCT)
        if found <= 0:
            raise MissingFieldError(f"struct {name}")
        return found

    def size(self, type_id: int) -> int:
        """The size of a type in bytes."""
        return int(self._lib.btf__resolve_size(self._btf, type_id))

    def field(self, struct: int, path: str) -> tuple[int, int]:
        """(offset in bytes, type) of a dotted path below a struct, through anonymous members."""
        offset = 0
        for step in path.split("."):
            found = self._member(self._plain(struct), step)
            if found is None:
                raise MissingFieldError(path)
            offset, struct = offset + found[0], found[1]
        return offset, struct

    def c_type(self, type_id: int) -> tuple[str, str]:
        """The C declaration around a field's name: (before, after)."""
        plain = self._plain(type_id)
        kind = self._kind(plain)
        size = self.size(plain)
        if kind == _KIND_PTR:
            target = self._plain(self._type(plain).size_or_type)
            if target and self._kind(target) == _KIND_STRUCT and (name := self._name(self._type(target).name)):
                return f"struct {name} *", ""
            return ("void **" if target and self._kind(target) == _KIND_PTR else "void *"), ""
        if kind in _SCALARS and size in {1, 2, 4, 8}:
            return f"u{size * 8} ", ""
        return "u8 ", f"[{size}]"

    def _member(self, struct: int, name: str) -> tuple[int, int] | None:
        kind = self._type(struct)
        start = ctypes.addressof(kind) + ctypes.sizeof(_Type)
        for index in range(kind.info & 0xFFFF):
            member = _Member.from_address(start + index * ctypes.sizeof(_Member))
            own, inner = self._name(member.name), self._plain(member.type)
            # With kind_flag the upper byte is a bit field's width (btf.h).
            bits = member.offset & 0xFFFFFF if kind.info >> 31 else member.offset
            if own == name:
                return bits // 8, member.type
            if not own and self._kind(inner) in {_KIND_STRUCT, _KIND_UNION}:
                found = self._member(inner, name)
                if found is not None:
                    return bits // 8 + found[0], found[1]
        return None

    def _plain(self, type_id: int) -> int:
        while type_id and self._kind(type_id) in _WRAPPERS:
            type_id = self._type(type_id).size_or_type
        return type_id

    def _type(self, type_id: int) -> _Type:
        found: _Type = self._lib.btf__type_by_id(self._btf, type_id).contents
        return found

    def _kind(self, type_id: int) -> int:
        return int(self._type(type_id).info >> 24) & 0x1F

    def _name(self, offset: int) -> str:
        raw: bytes = self._lib.btf__name_by_offset(self._btf, offset) or b""
        return raw.decode()


def render_structs(btf: Btf, reads: Iterable[Reads]) -> str:
    """C structs that hold the named fields only, each at the running kernel's offset.

    Raises `MissingFieldError` naming the struct and the field that the kernel does not have.
    """
    wanted: dict[str, dict[str, str]] = {}
    optional: set[str] = set()
    for some in reads:
        for struct, specs in some.items():
            name = struct.rstrip(" ?")
            wanted.setdefault(name, {}).update({spec.split("=")[0].strip(" ?"): spec for spec in specs})
            if name != struct:
                optional.add(name)
    forward = "".join(f"struct {name};\n" for name in sorted(wanted))
    here = [name for name in sorted(wanted) if name not in optional or btf.has_struct(name)]
    return forward + "".join(_render_struct(btf, name, wanted[name]) for name in here)


def _render_struct(btf: Btf, name: str, specs: dict[str, str]) -> str:
    struct = btf.struct(name)
    placed = []
    for field, spec in specs.items():
        paths = [path.strip() for path in spec.rstrip("? ").split("=")[-1].split("|")]
        found = _first(btf, struct, paths)
        if found is not None:
            placed.append((*found, field))
        elif not spec.endswith("?"):
            raise MissingFieldError(f"struct {name} has none of: {', '.join(paths)}")
    lines, end = [f"struct {name} {{"], 0
    for offset, type_id, field in sorted(placed):
        if offset < end:
            raise MissingFieldError(f"struct {name}: {field} overlaps the field before it")
        if offset > end:
            lines.append(f"\tu8 _{end}[{offset - end}];")
        before, after = btf.c_type(type_id)
        lines.append(f"\t{before}{field}{after};")
        end = offset + btf.size(type_id)
    if (rest := btf.size(struct) - end) > 0:
        lines.append(f"\tu8 _{end}[{rest}];")
    return "\n".join([*(f"#define HAS_{name}_{field} 1" for _, _, field in placed), *lines, "};\n"])


def _first(btf: Btf, struct: int, paths: list[str]) -> tuple[int, int] | None:
    for path in paths:
        try:
            return btf.field(struct, path)
        except MissingFieldError:
            continue
    return None
