"""Real libraries load real models, and the census says which ones, by what, in whose hands."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import models
from tests.running.daemon import Daemon
from tests.running.launcher import Launcher

from modelwarden.probes.cgroups import hierarchy

pytestmark = pytest.mark.bpf

Python = Callable[..., None]

ONNX = """
import onnx, sys
from onnx import TensorProto, helper, numpy_helper
import numpy
weights = numpy_helper.from_array(numpy.ones((8, 8), numpy.float32), "w")
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"])], "tiny",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8])], [weights],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.save(model, sys.argv[1])
"""


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    """Made before the daemon looks at what runs."""
    one = Launcher()
    yield one
    one.close()


@pytest.fixture(scope="module")
def daemon(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all tests of this file."""
    one = Daemon(tmp_path_factory.mktemp("daemon")).start()
    yield one
    assert one.stop() == 0


@pytest.fixture
def python(launcher: Launcher) -> Callable[..., None]:
    """Runs code as a script of its own, as a person would: what is given by `-c` is one workload, whatever it is."""

    def run(code: str, *arguments: Path | str, **environment: str) -> None:
        folder = Path(arguments[0]).parent
        script = folder / f"script-{len(list(folder.iterdir()))}.py"
        script.write_text(code)
        launcher.run([sys.executable, script, *arguments], **environment)

    return run


def workload_of(daemon: Daemon, path: Path, program: str = "") -> Any:
    """The workload that has read a model, once there is one, by a program in whose command line this stands.

    Who wrote the file may have read it too: the process of these tests, which has many libraries loaded.
    """
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for one in daemon.run("census")["workloads"]:
            has_read = any(str(path) in model["paths"] for model in one["models"])
            if has_read and (not program or any(program in (each["cmdline"] or "") for each in one["processes"])):
                return one
        time.sleep(0.2)
    raise AssertionError(f"no workload has read {path}: {daemon.run('census')}")


def test_onnxruntime(daemon: Daemon, python: Python, tmp_path: Path) -> None:
    """The library tells the runtime, the graph tells the model."""
    path = tmp_path / "tiny.onnx"
    python(ONNX, path)
    python("import onnxruntime, sys; onnxruntime.InferenceSession(sys.argv[1])", path)

    end = time.monotonic() + 20
    while (workload := workload_of(daemon, path, "script-"))["runtime"] != "onnxruntime" and time.monotonic() < end:
        time.sleep(0.1)
    (model,) = [one for one in workload["models"] if one["path"] == str(path)]
    assert workload["runtime"] == "onnxruntime"
    assert (model["format"], model["parameters"], model["quantization"]) == ("onnx", 64, "F32")


def test_torch(daemon: Daemon, launcher: Launcher, python: Python, tmp_path: Path) -> None:
    """PyTorch in a script of its own."""
    script, path = tmp_path / "chat.py", tmp_path / "weights.pt"
    script.write_text("import sys, torch; torch.load(sys.argv[1])")
    python("import sys, torch; torch.save({'w': torch.ones(3, 4)}, sys.argv[1])", path)
    launcher.run([sys.executable, script, path])

    workload = workload_of(daemon, path, script.name)
    assert workload["runtime"] == "pytorch"
    assert [one["format"] for one in workload["models"]] == ["pytorch-zip"]


def test_scikit_learn(daemon: Daemon, python: Python, tmp_path: Path) -> None:
    """An estimator by joblib: a pickle that names its framework is a model whoever opens it."""
    path = tmp_path / "forest.joblib"
    python(
        "import joblib, sys; from sklearn.ensemble import RandomForestClassifier as R\n"
        "joblib.dump(R(2, max_depth=2).fit([[0], [1]], [0, 1]), sys.argv[1])",
        path,
    )
    python("import joblib, sys; joblib.load(sys.argv[1])", path)

    model = daemon.model(path)
    assert (model["format"], model["architecture"]) == ("pickle", "RandomForestClassifier")


def test_keras(daemon: Daemon, python: Python, tmp_path: Path) -> None:
    """Keras 3 with PyTorch behind it."""
    path = tmp_path / "tiny.keras"
    python(
        "import keras, sys\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)], name='tiny')\n"
        "model.save(sys.argv[1]); keras.saving.load_model(sys.argv[1])",
        path,
        KERAS_BACKEND="torch",
    )

    model = daemon.model(path)
    assert (model["format"], model["parameters"]) == ("keras", 15)


def test_an_array_is_a_model_in_the_hands_of_a_learner_only(daemon: Daemon, python: Python, tmp_path: Path) -> None:
    """What numpy alone reads is no AI; with torch in the same program it is."""
    alone, learnt = tmp_path / "alone.npy", tmp_path / "learnt.npy"
    for path in (alone, learnt):
        python("import numpy, sys; numpy.save(sys.argv[1], numpy.ones(100))", path)
    python("import numpy, sys; numpy.load(sys.argv[1])", alone)
    python("import numpy, sys, torch; numpy.load(sys.argv[1])", learnt)

    assert daemon.model(learnt)["format"] == "npy"
    assert [one for one in daemon.run("census")["models"] if str(alone) in one["paths"]] == []


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Path]:
    """A cgroup that is called like a unit of the system's; systemd is not needed for that."""
    root = hierarchy()
    if root is None or not os.access(root, os.W_OK):
        pytest.skip("no cgroup v2 hierarchy that can be written to")
    made = root / "system.slice" / f"modelwarden-test-{os.getpid()}.service"
    made.mkdir(parents=True)
    yield made
    for _ in range(50):
        try:
            made.rmdir()
            break
        except OSError:  # its last process is still ending
            time.sleep(0.1)


def test_the_unit_that_a_program_runs_in(daemon: Daemon, launcher: Launcher, unit: Path, tmp_path: Path) -> None:
    """Known for a reader that is gone within milliseconds: cgroups are asked about at the first event."""
    path = models.write_gguf(tmp_path / "tiny.gguf")
    script = f"echo $$ > {unit}/cgroup.procs; exec /bin/cat {path}"
    launcher.run(["/bin/sh", "-c", script])

    assert workload_of(daemon, path)["unit"] == unit.name


def test_a_container_and_what_becomes_of_it(daemon: Daemon, launcher: Launcher, tmp_path: Path) -> None:
    """A docker container's cgroup, its own mount namespace with an overlay, and the census when both are gone."""
    root = hierarchy()
    if root is None or not os.access(root, os.W_OK):
        pytest.skip("no cgroup v2 hierarchy that can be written to")
    identifier = f"{os.getpid():064x}"
    place = root / "system.slice" / f"docker-{identifier}.scope"
    place.mkdir(parents=True)
    image = tmp_path / "image"
    image.mkdir()
    path = models.write_gguf(image / "tiny.gguf", name="contained")
    top = tmp_path / "top"
    top.mkdir()
    script = (
        f"echo $$ > {place}/cgroup.procs && mount -t tmpfs none {top} && mkdir {top}/u {top}/w {top}/m && "
        f"mount -t overlay overlay -o lowerdir={image},upperdir={top}/u,workdir={top}/w {top}/m && "
        f"cat {top}/m/{path.name} > /dev/null && cat {top}/m/{path.name} > /dev/null; sleep 1"
    )
    launcher.run(["/usr/bin/unshare", "-m", "/bin/sh", "-c", script])
    place.rmdir()

    workload = workload_of(daemon, top / "m" / path.name)
    assert workload["container"] == f"docker:{identifier[:12]}"
    assert [one["name"] for one in workload["models"]] == ["contained"]
    assert not daemon.run("census")["workloads"][0]["running"]
