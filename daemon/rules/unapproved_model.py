"""A workload reads a model that the policy does not approve."""

from dataclasses import dataclass

from modelwarden.daemon.alerts.alert import Severity
from modelwarden.daemon.documents import describe_model
from modelwarden.daemon.model.files import ModelFile
from modelwarden.daemon.model.world import ModelUsed, World
from modelwarden.daemon.policy import Opinion, awaits_hash, judge_model
from modelwarden.daemon.rules.rule import About, Finding, Rule
from modelwarden.daemon.times import day_of

_ABOUT = About(
    name="unapproved_model",
    severity=Severity.MEDIUM,
    title="Unapproved model in use",
    description=(
        "A process has read the weights of a model that no entry of `models.approved` matches, or whose "
        "approval has expired. Names are claims of the file, and origins are claims of the store: an approval by "
        "these alone can be imitated. While the SHA-256 of a file is being taken, and could approve it, nothing is "
        "said; where it cannot be had, the model is judged without."
    ),
    techniques=("AML.T0010.003", "AML.T0011.000", "T1204.002"),
    false_positives=(
        "Backup, indexing and copying programs that read model files without using them.",
        "A model that was approved under another name than the one in its file.",
        "A model that was approved by its SHA-256, in a file that could not be read to its end.",
    ),
    what_to_do=(
        "Find out from the user what the model is for. Approve it in policy.toml with an owner and a reason, "
        "or have it removed."
    ),
)


@dataclass(frozen=True, slots=True)
class UnapprovedModel:
    """Silent as long as the policy has no `[models]`."""

    about: About = _ABOUT

    def judge(self, used: ModelUsed, world: World) -> Finding | None:
        """A finding when the policy has an opinion and it is not an approval that holds."""
        model = used.model
        name = model.identity.name if model.identity else None
        day = day_of(world.wall_ns(used.at))
        origin = origin_of(model)
        judgement = judge_model(world.policy, name=name, origin=origin, sha256=model.sha256, today=day)
        if judgement.allowed:
            return None
        if model.hash_pending and awaits_hash(world.policy, name=name, origin=origin, today=day):
            return None  # the answer, whatever it is, has it judged again
        verb = "opened" if used.count else "has in use"
        program = used.process.path or "a process"
        what = f"{program} [{used.process.pid}] {verb} {describe_model(model)} at {model.path}"
        if judgement.opinion is Opinion.EXPIRED and judgement.approval is not None:
            what += f", whose approval expired on {judgement.approval.expires}"
        return Finding(subject_of(model), what)


def origin_of(model: ModelFile) -> str | None:
    """As policies write it, `kind:repository`; `None` when the store does not tell."""
    if model.origin is None or model.origin.repository is None:
        return None
    return f"{model.origin.kind}:{model.origin.repository}"


def subject_of(model: ModelFile) -> str:
    """A model by its own name where it has one, so that a copy is the same subject, else by its path."""
    if model.identity is not None and model.identity.name:
        return f"model:{model.identity.format}:{model.identity.name}"
    return f"model:{model.path}"


RULE: Rule = UnapprovedModel()
