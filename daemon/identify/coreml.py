"""Core ML, the format of Apple's systems: `.mlmodel`, alone or inside a `.mlpackage`.

Source: `mlmodel/format/Model.proto` of coremltools (Model, ModelDescription, Metadata). A file begins with the same
bytes as an ONNX model or a SavedModel; what tells it from them is the number of the field that holds the model.
"""

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.protobuf import Reader, length, varint
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

SPECIFICATION_VERSION, DESCRIPTION, IS_UPDATABLE = varint(1), length(2), varint(10)
VERSION_LIMIT = 64
"""There are 10 versions after nine years."""
DESCRIPTION_TAGS = frozenset(map(length, (1, 10, 11, 12, 13, 20, 21, 50, 100)))
METADATA = length(100)
SHORT_DESCRIPTION, LICENSE, USER_DEFINED = length(1), length(4), length(100)
USER_DEFINED_LIMIT = 200
NAME_KEYS = (b"name", b"model_name", b"com.github.apple.coremltools.name")
TYPES = {
    200: "PipelineClassifier", 201: "PipelineRegressor", 202: "Pipeline",
    300: "GLMRegressor", 301: "SupportVectorRegressor", 302: "TreeEnsembleRegressor", 303: "NeuralNetworkRegressor",
    304: "BayesianProbitRegressor",
    400: "GLMClassifier", 401: "SupportVectorClassifier", 402: "TreeEnsembleClassifier",
    403: "NeuralNetworkClassifier", 404: "KNearestNeighborsClassifier",
    500: "NeuralNetwork", 501: "ItemSimilarityRecommender", 502: "MLProgram", 555: "CustomModel", 556: "LinkedModel",
    560: "ClassConfidenceThresholding",
    600: "OneHotEncoder", 601: "Imputer", 602: "FeatureVectorizer", 603: "DictVectorizer", 604: "Scaler",
    606: "CategoricalMapping", 607: "Normalizer", 609: "ArrayFeatureExtractor", 610: "NonMaximumSuppression",
    900: "Identity",
    2000: "TextClassifier", 2001: "WordTagger", 2002: "VisionFeaturePrint", 2003: "SoundAnalysisPreprocessing",
    2004: "Gazetteer", 2005: "WordEmbedding", 2006: "AudioFeaturePrint", 3000: "SerializedModel",
}  # fmt: skip
"""The kinds of models by the number of their field."""


class Model:
    """What the fields of one file say."""

    __slots__ = ("described", "license", "name", "reader", "type", "version")

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.version = self.described = 0
        self.type: str | None = None
        self.name: str | None = None
        self.license: str | None = None

    def read(self) -> bool:
        """Walk over the file: false when it is another protocol buffer. Raises `Damaged`."""
        for tag, start, end in self.reader.fields(0, self.reader.size):
            if tag == SPECIFICATION_VERSION:
                self.version = start
            elif tag == DESCRIPTION:
                if not self._description(start, end):
                    return False
            elif tag & 7 == 2 and tag >> 3 in TYPES:
                self.type = TYPES[tag >> 3]
            elif tag != IS_UPDATABLE:
                return False
        return self.is_one

    @property
    def is_one(self) -> bool:
        """Whether what was read can be nothing else than a model."""
        return 0 < self.version <= VERSION_LIMIT and self.described > 0 and self.type is not None

    def _description(self, start: int, end: int) -> bool:
        for tag, first, last in self.reader.fields(start, end):
            if tag not in DESCRIPTION_TAGS:
                return False
            self.described += 1
            if tag == METADATA:
                self._metadata(first, last)
        return True

    def _metadata(self, start: int, end: int) -> None:
        left = USER_DEFINED_LIMIT
        description = named = None
        for tag, first, last in self.reader.fields(start, end):
            if tag == SHORT_DESCRIPTION:
                description = claims.text(self.reader.data(first, last, 800))
            elif tag == LICENSE:
                self.license = claims.text(self.reader.data(first, last, 800))
            elif tag == USER_DEFINED and left:
                left -= 1
                named = named or self._user_defined(first, last)
        self.name = named or description

    def _user_defined(self, start: int, end: int) -> str | None:
        found = {tag: self.reader.data(first, last, 800) for tag, first, last in self.reader.fields(start, end)}
        return claims.text(found.get(length(2))) if found.get(length(1)) in NAME_KEYS else None


class CoreMl:
    """The Core ML format."""

    name = "coreml"

    def recognises(self, head: bytes, size: int) -> bool:
        """By the version and the description, which every writer puts first."""
        return min(size, len(head)) > 16 and head[0] == 8 and 0 < head[1] <= VERSION_LIMIT and head[2] == DESCRIPTION

    def identify(self, window: Window) -> Identity | None:
        """The identity from the fields, `None` for any other protocol buffer."""
        model = Model(Reader(window))
        problem = None
        try:
            if not model.read():
                return None
        except Damaged as damage:
            problem = str(damage)
        except BudgetSpentError:
            problem = "it is larger than an inspection reads"
        if not model.is_one:
            return None
        return Identity(self.name, name=model.name, architecture=model.type, license=model.license, problem=problem)


FORMAT: Format = CoreMl()
