"""Which globals in a pickle show that it holds a trained model, by the packages that define them.

A pickle names what it will import, so its globals are its type. A package is in the table when pickling is a usual way
to keep its models; packages that only train those of others are not.
"""

from dataclasses import dataclass

from modelwarden.daemon.identify.reading import claims
from modelwarden.daemon.identify.reading.tensor_pickle import ModuleClass, Name


@dataclass(frozen=True, slots=True)
class Package:
    """One package of a framework."""

    framework: str
    models: tuple[str, ...] = ()
    """Text in the dotted names of its models; empty where every class of it belongs to a model."""
    others: tuple[str, ...] = ()
    """Text in the names of what is no model: data, metrics, settings, text splitters."""
    weights: tuple[str, ...] = ()
    """How names of functions that rebuild weights begin: they show a model, but not which."""

    def has_model(self, name: str) -> bool:
        """Whether the class of this name belongs to a model."""
        if any(text in name for text in self.others):
            return False
        return not self.models or any(text in name for text in self.models)


_NONE = ("\0",)
"""Text that no name has."""
_KERAS = Package(
    "keras",
    models=(".models.", ".engine.", ".layers.", ".saving.", ".Sequential", ".Functional", ".Model"),
    others=("preprocessing", ".optimizers.", ".callbacks."),
    weights=("keras.src.saving.", "keras.saving."),
)
_BOOSTERS = (".dask.", "DMatrix", "Dataset", ".basic.Dataset", ".callback.", ".training.", ".Pool")

PACKAGES = {
    "sklearn": Package(
        "scikit-learn",
        others=(".utils.", ".datasets.", ".metrics.", ".exceptions.", ".model_selection._split", "._loss."),
    ),
    "imblearn": Package("scikit-learn", others=(".utils.", ".datasets.", ".metrics.")),
    "xgboost": Package("xgboost", others=_BOOSTERS),
    "lightgbm": Package("lightgbm", others=_BOOSTERS),
    "catboost": Package("catboost", others=_BOOSTERS),
    "_catboost": Package("catboost", others=_BOOSTERS),
    "torch": Package(
        "torch",
        models=("torch.nn.modules.",),
        weights=(
            "torch._utils._rebuild_",
            "torch.storage._load_from_bytes",
            "torch.nn.parameter.",
            "torch._tensor._rebuild_",
        ),
    ),
    "torchvision": Package("torch", models=(".models.",)),
    "timm": Package("torch", models=(".models.", ".layers.")),
    "ultralytics": Package("torch", models=(".nn.tasks.",)),
    "transformers": Package("transformers", models=(".modeling_",)),
    "sentence_transformers": Package("transformers", models=(".SentenceTransformer", ".CrossEncoder", ".models.")),
    "peft": Package("transformers", models=(".peft_model.", ".tuners.")),
    "diffusers": Package("diffusers", models=(".models.", ".pipelines.")),
    "fastai": Package("torch", models=(".learner.", ".layers.")),
    "tensorflow": Package(
        "tensorflow", models=(".keras.models.", ".keras.engine.", ".keras.layers."), others=("preprocessing",)
    ),
    "keras": _KERAS,
    "tf_keras": _KERAS,
    "jax": Package("jax", models=_NONE, weights=("jax._src.array._reconstruct_array",)),
    "flax": Package("jax", models=(".linen.", ".nnx.", ".training.train_state.", ".core.frozen_dict.")),
    "haiku": Package("jax", models=(".data_structures.",)),
    "equinox": Package("jax", models=(".nn.",)),
    "gensim": Package("gensim", models=(".models.",), others=(".phrases.",)),
    "statsmodels": Package("statsmodels", models=("Results", ".models.", "Model")),
    "prophet": Package("prophet", models=(".forecaster.",)),
    "fbprophet": Package("prophet", models=(".forecaster.",)),
    "pmdarima": Package("pmdarima", models=(".arima.", ".pipeline.")),
    "hmmlearn": Package("hmmlearn"),
    "nltk": Package("nltk", models=(".classify.", ".tag.")),
    "surprise": Package("surprise", models=(".prediction_algorithms.",)),
    "implicit": Package("implicit"),
    "lightfm": Package("lightfm", models=(".LightFM",)),
    "cuml": Package("cuml", others=(".metrics.", ".datasets.")),
    "spacy": Package("spacy", models=(".language.", ".pipeline.", ".lang.")),
    "stable_baselines3": Package("torch", models=(".policies.", ".torch_layers.")),
}
QUIET = frozenset(
    (
        "__builtin__",
        "_codecs",
        "argparse",
        "builtins",
        "collections",
        "copy_reg",
        "copyreg",
        "datetime",
        "enum",
        "functools",
        "numpy",
        "omegaconf",
        "pathlib",
        "torch",
        "types",
        "typing",
    )
)
"""Packages whose classes are never a network of somebody's own."""


class Evidence:
    """What the globals of one pickle, in its order, show of a model."""

    __slots__ = ("_own", "architecture", "framework")

    def __init__(self) -> None:
        self.framework: str | None = None
        """Whose model it is; `None` as long as nothing shows that there is one."""
        self.architecture: str | None = None
        """The class of the outermost estimator, network or module."""
        self._own: str | None = None

    def see(self, name: Name) -> None:
        """Take the next global."""
        package, _, rest = name.partition(".")
        last = rest.rpartition(".")[2]
        is_class = last.lstrip("_")[:1].isupper()
        if package == "__torch__" or isinstance(name, ModuleClass):
            # A module of TorchScript, or one that PyTorch itself marked as a module.
            self._found("torch", last)
            return
        known = PACKAGES.get(package)
        if known is not None and name.startswith(known.weights or _NONE):
            self._found(known.framework, None)
        elif known is not None and is_class and known.has_model(name):
            # A network of one's own is named before the layers that it is made of.
            own = self._own if package == "torch" else None
            self._found(known.framework, own or last)
        elif is_class and package not in QUIET:
            self._own = last

    def _found(self, framework: str, architecture: str | None) -> None:
        self.framework = self.framework or framework
        self.architecture = self.architecture or claims.text(architecture)
