"""Files that take seconds to write, once for all tests of formats."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERAS = """
import keras, numpy, torch
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16), keras.layers.Dense(4)], name="digits")
model.compile("adam", "mse")
model.fit(numpy.zeros((4, 8)), numpy.zeros((4, 4)), verbose=0)
model.save("model.keras")
model.save("model.h5")
model.save_weights("model.weights.h5")
model.save_weights("part.weights.json", max_shard_size=0.0000005)
half = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, dtype=keras.DTypePolicy("bfloat16"))])
half.save("half.keras")
half.save("half.h5")
"""


@pytest.fixture(scope="session")
def keras_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what Keras saves of a trained model of 8 × 16 + 16 + 16 × 4 + 4 weights, and of one in half."""
    folder = tmp_path_factory.mktemp("keras")
    environment = {**os.environ, "KERAS_BACKEND": "torch", "KERAS_HOME": str(folder)}
    subprocess.run([sys.executable, "-c", KERAS], cwd=folder, env=environment, check=True, capture_output=True)
    return folder
