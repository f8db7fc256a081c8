"""The terms that ONNX and ONNX Runtime's own format share: types of elements, keys of metadata.

Source: `TensorProto.DataType` in `onnx/onnx.proto`, `TensorDataType` in ONNX Runtime's `ort.fbs`, which agree.
"""

TYPES = {
    1: ("F32", 32), 2: ("U8", 8), 3: ("I8", 8), 4: ("U16", 16), 5: ("I16", 16), 6: ("I32", 32), 7: ("I64", 64),
    9: ("BOOL", 8), 10: ("F16", 16), 11: ("F64", 64), 12: ("U32", 32), 13: ("U64", 64), 14: ("C64", 64),
    15: ("C128", 128), 16: ("BF16", 16), 17: ("F8_E4M3", 8), 18: ("F8_E4M3FNUZ", 8), 19: ("F8_E5M2", 8),
    20: ("F8_E5M2FNUZ", 8), 21: ("U4", 4), 22: ("I4", 4), 23: ("F4", 4), 24: ("F8_E8M0", 8), 25: ("U2", 2),
    26: ("I2", 2), 27: ("F6_E2M3", 6), 28: ("F6_E3M2", 6),
}  # fmt: skip
"""By number: the name in the census, the bits of an element."""
STRING = 8
"""The type whose elements are no weights."""
NAMES, ARCHITECTURES, LICENSES = ("name", "model_name"), ("model_type", "architecture"), ("license", "model_license")
"""Keys of `metadata_props` that publishers use; the standard prescribes none of them but `model_license`."""
METADATA_LIMIT = 200
