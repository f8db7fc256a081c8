"""A workload reads a model whose content is not what its store says it is."""

from dataclasses import dataclass

from modelwarden.daemon.alerts.alert import Severity
from modelwarden.daemon.documents import describe_model
from modelwarden.daemon.model.world import ModelUsed, World
from modelwarden.daemon.rules.rule import About, Finding, Rule

_ABOUT = About(
    name="model_hash_mismatch",
    severity=Severity.HIGH,
    title="Model differs from what its store says",
    description=(
        "A process has read a model out of a store that names its files by their SHA-256, or notes it beside them "
        "(Ollama, the Hugging Face cache), and the SHA-256 of what lies there is another one. The file was "
        "written to behind the store's back, or was never what it was downloaded as."
    ),
    techniques=("AML.T0010.003", "AML.T0018", "T1565.001"),
    false_positives=(
        "A download that was broken off, or is written over in place, by a program that does not check it.",
        "A tool that quantises or edits models within the store, instead of adding a new one.",
        "A disk that has lost or changed data.",
    ),
    what_to_do=(
        "Treat the file as tampered with: end what uses it, keep a copy, and look in the census and in file changes "
        "for who wrote to it. Then remove it and have the store fetch it again; a good copy has the SHA-256 that the "
        "store names."
    ),
)


@dataclass(frozen=True, slots=True)
class ModelHashMismatch:
    """Silent until the content is known, and where the store claims nothing of it."""

    about: About = _ABOUT

    def judge(self, used: ModelUsed, world: World) -> Finding | None:  # noqa: ARG002 - it needs no more of the world
        """A finding when the content has been summed up, and the store says otherwise."""
        model, origin = used.model, used.model.origin
        if model.sha256 is None or origin is None or origin.digest in {None, model.sha256}:
            return None
        program = used.process.path or "a process"
        verb = "opened" if used.count else "has in use"
        what = (
            f"{program} [{used.process.pid}] {verb} {describe_model(model)} at {model.path}: its SHA-256 is "
            f"{model.sha256}, the store ({origin.kind}) says {origin.digest}"
        )
        return Finding(f"file:{model.path}", what)


RULE: Rule = ModelHashMismatch()
