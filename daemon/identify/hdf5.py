"""HDF5, and within it the files of Keras; any other is an array of numbers that may be anything."""

import re

from modelwarden.daemon.identify.reading import claims, json_object, keras_model
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.hdf5_layout import SIGNATURE, TOO_MUCH, USER_BLOCK_MIN, Layout, find_superblock
from modelwarden.daemon.identify.reading.hdf5_objects import texts
from modelwarden.daemon.identify.reading.keras_model import Weights
from modelwarden.daemon.identify.reading.shards import COUNT_LIMIT
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Shard, Window

SUFFIXES = (".h5", ".hdf5")
"""By these Keras takes a file for HDF5, wherever in it the superblock is (`saving_api.py`)."""
MARKS = frozenset(("keras_version", "layer_names", "model_config"))
"""Attributes of the root that Keras writes."""
_PART = re.compile(r"(.{1,200})_([0-9]{5})\.weights\.h5")


class Hdf5:
    """The HDF5 format; files of Keras are reported under their own name."""

    name = "hdf5"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the signature, which need not be at the start: the name decides then."""
        return head.startswith(SIGNATURE) or size > USER_BLOCK_MIN

    def identify(self, window: Window) -> Identity | None:
        """The identity from the root's attributes and the sizes of the datasets."""
        contents = Contents()
        complete, problem = False, None
        try:
            if not _has_superblock(window):
                return None
            contents.read(window)
            complete = True
            if contents.needs > window.size:
                problem = claims.cut_short(window.size, contents.needs)
        except Damaged as damage:
            problem = str(damage)
        except BudgetSpentError:
            problem = TOO_MUCH
        weights = contents.weights
        return Identity(
            "keras-h5" if contents.is_keras else self.name,
            name=contents.name,
            architecture=contents.architecture,
            parameters=claims.parameters(weights.parameters) if complete else None,
            quantization=claims.dominant(weights.types),
            problem=problem,
            tensor_types=claims.most_first(weights.types) if complete else (),
            shard=_shard(window) if contents.is_keras else None,
            generic=not contents.is_keras,
        )


class Contents:
    """What was read of a file."""

    __slots__ = ("architecture", "is_keras", "name", "needs", "weights")

    def __init__(self) -> None:
        self.is_keras = False
        self.name: str | None = None
        self.architecture: str | None = None
        self.weights = Weights()
        self.needs = 0
        """Bytes that the file must have."""

    def read(self, window: Window) -> None:
        """Read the root, then all datasets; raises `Damaged` with what was read."""
        self.is_keras = window.name.endswith(".weights.h5")  # Keras takes no other name for these
        file = Layout(window)
        self.needs = file.end
        if file.root is None:
            raise Damaged("it has no root")
        messages = file.messages(file.root)
        self._read_attributes(texts(file, messages, MARKS))
        top = keras_model.top_level(file, messages)
        self.is_keras = self.is_keras or "model_weights" in top
        if "vars" in top:
            self._read_variables(texts(file, file.messages(top["vars"]), frozenset(("name",))))
        self.weights.read(file, top)
        self.needs = max(self.needs, self.weights.stored)

    def _read_attributes(self, attributes: dict[str, bytes | None]) -> None:
        self.is_keras = self.is_keras or not MARKS.isdisjoint(attributes)
        config = json_object.parse(attributes.get("model_config"))
        if config is not None:
            self.name, self.architecture = keras_model.config_name(config), keras_model.architecture(config)

    def _read_variables(self, attributes: dict[str, bytes | None]) -> None:
        """Of Keras 3's weights, the group of the model's own variables has the model's name."""
        if "name" in attributes:
            self.is_keras = True
            self.name = self.name or keras_model.telling(attributes["name"])


def _has_superblock(window: Window) -> bool:
    """Whether there is one, at the start or (where the name lets a loader look on) behind a user's block."""
    if window.read(0, len(SIGNATURE)) == SIGNATURE:
        return True
    if not window.name.endswith(SUFFIXES):
        return False
    try:
        find_superblock(window)
    except Damaged:
        return False
    return True


def _shard(window: Window) -> Shard | None:
    """Weights that Keras split are counted from 0, and listed in `<name>.weights.json` (`ShardedH5IOStore`)."""
    part = _PART.fullmatch(window.name)
    index = json_object.parse(window.beside.read(f"{part[1]}.weights.json")) if part else None
    listed = index.get("weight_map") if index else None
    if part is None or not isinstance(listed, dict):
        return None
    files = {file for value in listed.values() if isinstance(value, list) for file in value if isinstance(file, str)}
    number, count = int(part[2]) + 1, len(files)
    return Shard(number, count) if window.name in files and number <= count and 2 <= count <= COUNT_LIMIT else None


FORMAT: Format = Hdf5()
