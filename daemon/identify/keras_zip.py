"""The zip archive in which Keras 3 saves a model: its configuration, and its weights as HDF5.

Source: keras 3.15, `src/saving/saving_lib.py`; the members are stored as they are.
"""

from modelwarden.daemon.identify.reading import claims, json_object, keras_model
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT
from modelwarden.daemon.identify.reading.hdf5_layout import Layout
from modelwarden.daemon.identify.reading.keras_model import Weights
from modelwarden.daemon.identify.reading.part import Part
from modelwarden.daemon.identify.reading.zip_directory import Member, content_offset, members, read_member
from modelwarden.daemon.identify.reading.zip_start import first_member
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
SUFFIX = ".keras"
"""Keras loads no archive that is called otherwise; the cache of a hub has other names for what Keras wrote."""


class KerasZip:
    """The format of `model.save("….keras")`."""

    name = "keras"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a local file header at the start."""
        return head[:4] == b"PK\3\4" and size > 30

    def identify(self, window: Window) -> Identity | None:
        """The identity from the configuration and the datasets of the weights; `None` for any other zip archive."""
        is_named = window.name.endswith(SUFFIX)
        if not is_named and first_member(window).name not in {CONFIG, METADATA, WEIGHTS}:
            return None
        archive, complete = Archive(), False
        try:
            complete = archive.read(window)
        except Damaged as damage:
            archive.problem = str(damage)
        except BudgetSpentError:
            archive.problem = "it is larger than an inspection reads"
        if not archive.is_keras and not is_named:
            return None
        weights = archive.weights
        return Identity(
            self.name,
            name=keras_model.config_name(archive.config),
            architecture=keras_model.architecture(archive.config),
            parameters=claims.parameters(weights.parameters) if complete else None,
            quantization=claims.dominant(weights.types),
            problem=archive.problem,
            tensor_types=claims.most_first(weights.types) if complete else (),
        )


class Archive:
    """What was read of a file."""

    __slots__ = ("config", "is_keras", "problem", "weights")

    def __init__(self) -> None:
        self.is_keras = False
        self.config: dict[str, object] = {}
        self.weights = Weights()
        self.problem: str | None = None

    def read(self, window: Window) -> bool:
        """Whether all weights were counted; raises `Damaged` with what was read."""
        found = _contents(window)
        metadata = _document(window, found.get(METADATA))
        self.is_keras = CONFIG in found and isinstance(metadata.get("keras_version"), str)
        if not self.is_keras:
            raise Damaged("it lacks the configuration or the version of a model of Keras")
        self.config = _document(window, found[CONFIG])
        member = found.get(WEIGHTS)
        if member is None:
            return False  # an archive of npz, or of weights in several files
        if member.method != 0:
            raise Damaged("its weights are compressed")
        part = Part(window, content_offset(window, member), member.size)
        file = Layout(part)
        if file.root is not None:
            self.weights.read(file, keras_model.top_level(file, file.messages(file.root)))
        needs = max(file.end, self.weights.stored)
        if needs > part.size:
            self.problem = claims.cut_short(part.size, needs)
        return True


def _contents(window: Window) -> dict[str, Member]:
    return {member.name: member for member in members(window) if member.name in {CONFIG, METADATA, WEIGHTS}}


def _document(window: Window, member: Member | None) -> dict[str, object]:
    return (json_object.parse(read_member(window, member, DOCUMENT_LIMIT)) if member else None) or {}


FORMAT: Format = KerasZip()
