"""DDUF: a diffusers pipeline, with all of its models, in one zip archive that stores them as they are.

Source: `serialization/_dduf.py` of huggingface_hub (stored members only, `model_index.json`, one level of folders).
"""

from modelwarden.daemon.identify.reading import claims, json_object, safetensors_header
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.folder import DOCUMENT_LIMIT
from modelwarden.daemon.identify.reading.part import Part
from modelwarden.daemon.identify.reading.safetensors_header import Header
from modelwarden.daemon.identify.reading.zip_directory import Member, content_offset, members, read_member
from modelwarden.daemon.identify.reading.zip_start import first_member
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

INDEX = "model_index.json"
ALLOWED = (".json", ".model", ".safetensors", ".txt")
"""No other file may be in one (`DDUF_ALLOWED_ENTRIES`)."""
COMPRESSED = "a member is compressed, which DDUF does not allow"
WEIGHTS_LIMIT = 1000
"""Files of weights in one archive: real pipelines have about ten."""


class Dduf:
    """The DDUF format."""

    name = "dduf"

    def recognises(self, head: bytes, size: int) -> bool:
        """By a local file header at the start."""
        return head[:4] == b"PK\3\4" and size > 30

    def identify(self, window: Window) -> Identity | None:
        """The identity from the pipeline's index and the headers of its weights; `None` for any other zip archive."""
        is_named = window.name.endswith(".dduf")
        first = first_member(window)
        if not is_named and not (first.is_stored and first.name.endswith(ALLOWED) and first.name.count("/") <= 1):
            return None
        pipeline, complete = Pipeline(), False
        try:
            pipeline.read(window)
            complete = True
        except Damaged as damage:
            pipeline.problem = str(damage)
        except BudgetSpentError:
            pipeline.problem = "its headers are larger than an inspection reads"
        # A folder that somebody zipped is no file that diffusers would load.
        if not is_named and (pipeline.built is None or pipeline.problem == COMPRESSED):
            return None
        header = pipeline.header
        return Identity(
            self.name,
            name=pipeline.name,
            architecture=pipeline.built,
            parameters=claims.parameters(header.parameters) if complete else None,
            quantization=claims.dominant(header.dtypes),
            problem=pipeline.problem,
            tensor_types=claims.most_first(header.dtypes) if complete else (),
        )


class Pipeline:
    """What was read of an archive."""

    __slots__ = ("built", "header", "name", "problem")

    def __init__(self) -> None:
        self.built: str | None = None
        """The class of the pipeline."""
        self.name: str | None = None
        self.header = Header()
        """The sums over the headers of all weights: together they have no more entries than one file may have."""
        self.problem: str | None = None

    def read(self, window: Window) -> None:
        """Read the index, then the weights; raises `Damaged` with what was read."""
        index, weights = _contents(window)
        if index is None:
            raise Damaged("it has no model_index.json")
        document = json_object.parse(read_member(window, index, DOCUMENT_LIMIT))
        if document is None:
            raise Damaged("its model_index.json is no JSON object")
        self.built, self.name = claims.text(document.get("_class_name")), claims.text(document.get("_name_or_path"))
        if self.built is None:
            raise Damaged("its model_index.json names no pipeline")
        for member in weights:
            if member.method != 0:
                raise Damaged(COMPRESSED)
            self.header.end = 0
            part = Part(window, content_offset(window, member), member.size)
            misfit = safetensors_header.read(part, self.header)
            self.problem = self.problem or misfit


def _contents(window: Window) -> tuple[Member | None, list[Member]]:
    index: Member | None = None
    weights: list[Member] = []
    for member in members(window):
        if member.name == INDEX and index is None:
            index = member
        elif member.name.endswith(".safetensors"):
            if len(weights) == WEIGHTS_LIMIT:
                raise Damaged("it has more files of weights than an inspection reads")
            weights.append(member)
    return index, weights


FORMAT: Format = Dduf()
