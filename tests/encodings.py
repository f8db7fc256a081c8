"""Writers of protocol buffers and FlatBuffers, true or not, for the formats that are made of them."""

from struct import pack

import flatbuffers


def number(value: int) -> bytes:
    """A varint."""
    found = b""
    while value > 127:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])


def varint(field: int, value: int) -> bytes:
    """A field with a number."""
    return number(field << 3) + number(value)


def message(field: int, *parts: bytes, claim: int | None = None) -> bytes:
    """A field with a string or message, whose length may be a lie."""
    data = b"".join(parts)
    return number(field << 3 | 2) + number(len(data) if claim is None else claim) + data


class Builder(flatbuffers.Builder):  # type: ignore[misc]
    """A builder of FlatBuffers that takes whole tables."""

    def table(self, fields: dict[int, tuple[str, int]]) -> int:
        """A table: by place, ("offset" or the builder's name of a scalar, value)."""
        self.StartObject(max(fields, default=-1) + 1)
        for place, (kind, value) in fields.items():
            if kind == "offset":
                self.PrependUOffsetTRelativeSlot(place, value, 0)
            else:
                getattr(self, f"Prepend{kind}Slot")(place, value, 0)
        return int(self.EndObject())

    def offsets(self, tables: list[int]) -> int:
        """A vector of tables or strings."""
        self.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            self.PrependUOffsetTRelative(table)
        return int(self.EndVector())

    def numbers(self, layout: str, values: list[int]) -> int:
        """A vector of numbers, as `struct` has them."""
        data = pack(f"<{len(values)}{layout}", *values)
        width = len(data) // len(values) if values else 1
        self.StartVector(width, len(values), width)
        self.head -= len(data)
        self.Bytes[self.head : self.head + len(data)] = data
        return int(self.EndVector())

    def close(self, root: int, identifier: bytes) -> bytes:
        """The bytes."""
        self.Finish(root, file_identifier=identifier)
        return bytes(self.Output())
