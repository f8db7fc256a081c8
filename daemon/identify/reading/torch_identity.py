"""The identity of a file of PyTorch's, from the sums over its tensors, its name and the configuration beside it."""

import re

from modelwarden.daemon.identify.reading import claims, transformers_config
from modelwarden.daemon.identify.reading.shards import shard_of
from modelwarden.daemon.identify.reading.torch_weights import Weights
from modelwarden.daemon.identify.sniffer import Identity, Window

COMMON_NAMES = frozenset(
    (
        "adapter_model",
        "archive",
        "best",
        "best_model",
        "checkpoint",
        "ckpt",
        "consolidated",
        "data",
        "diffusion_pytorch_model",
        "epoch",
        "final",
        "last",
        "latest",
        "model",
        "model_state",
        "model_weights",
        "optimizer",
        "pytorch_lora_weights",
        "pytorch_model",
        "rng_state",
        "scheduler",
        "state_dict",
        "step",
        "training_args",
        "weights",
    )
)
"""Names that say nothing, because everybody uses them; numbers behind them say no more."""
NO_WEIGHTS = frozenset(("optimizer", "rng_state", "scaler", "scheduler", "training_args"))
"""What a trainer writes beside the weights: the configuration in the same folder does not speak of these."""
_NUMBER = re.compile(r"(?:[-_.=][0-9]{1,9})+\Z")
_PART = re.compile(r"-[0-9]{1,6}-of-[0-9]{1,6}\Z")


def identity(
    format: str,  # noqa: A002 - the field's name
    window: Window,
    weights: Weights,
    *,
    complete: bool,
    problem: str | None,
    name: str = "",
) -> Identity:
    """What the file says, completed by `config.json` where it says nothing.

    `complete` tells whether all of its tensors are in the sums; `name` is one that the file itself carries.
    """
    stem = _plain(window.name.partition(".")[0])
    tells = weights.parameters > 0 and stem not in NO_WEIGHTS
    config = (transformers_config.read(window.beside) if tells else None) or transformers_config.Config()
    return Identity(
        format,
        name=_telling(name) or config.name,
        architecture=weights.evidence.architecture or config.architecture,
        parameters=claims.parameters(weights.parameters) if complete else None,
        quantization=config.quantization or claims.dominant(weights.types),
        problem=problem,
        tensor_types=claims.most_first(weights.types),
        shard=shard_of(window.name),
    )


def _telling(name: str) -> str | None:
    """A name, unless it is one that everybody uses."""
    without_part = _PART.sub("", name)
    return None if _plain(without_part) in COMMON_NAMES else claims.text(without_part)


def _plain(name: str) -> str:
    """A name without the numbers behind it: `checkpoint-500`, `consolidated.00`, `pytorch_model-00001-of-00002`."""
    return _NUMBER.sub("", _PART.sub("", name.lower()))
