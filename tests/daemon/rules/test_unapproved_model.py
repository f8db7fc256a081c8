"""The rule `unapproved_model`."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.kit import MODEL, NOW, TINY, TODAY, WALL_OFFSET, policy
from tests.rows import model_file, process, used

from modelwarden.daemon.alerts.alert import Severity
from modelwarden.daemon.event import Inspection
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.model.files import ModelFile, Standing
from modelwarden.daemon.model.world import World
from modelwarden.daemon.policy import ModelApproval, Policy
from modelwarden.daemon.rules.unapproved_model import RULE, subject_of

KNOWN = model_file(standing=Standing.MODEL, identity=TINY)
NAMELESS = model_file(standing=Standing.MODEL, identity=replace(TINY, name=None))
SHA = "ab" * 32
UNREAD = model_file(standing=Standing.UNKNOWN, reason=Inspection.GONE.value)


def world(rules: Policy) -> World:
    """A world in which this policy holds, today."""
    return World(policy=rules, wall_offset_ns=WALL_OFFSET)


def test_silent_without_a_section() -> None:
    """A policy that does not speak of models has no opinion on them."""
    assert RULE.judge(used(KNOWN), world(Policy())) is None


@pytest.mark.parametrize("model", [KNOWN, NAMELESS, UNREAD], ids=["named", "nameless", "not read"])
def test_fires_when_nothing_is_approved(model: ModelFile) -> None:
    """An empty list approves nothing, whatever is known of the model."""
    assert RULE.judge(used(model), world(policy())) is not None


def test_silent_when_approved_by_name() -> None:
    """A pattern that matches the model's name approves it."""
    rules = world(policy(ModelApproval(name="ti*")))
    assert RULE.judge(used(KNOWN), rules) is None
    assert RULE.judge(used(NAMELESS), rules) is not None
    assert RULE.judge(used(UNREAD), rules) is not None


def test_content_that_cannot_be_known_is_not_approved() -> None:
    """Where there is no sum, and none will come, an approval by content does not match."""
    assert RULE.judge(used(KNOWN), world(policy(ModelApproval(sha256=SHA)))) is not None


def test_approved_by_content() -> None:
    """A sum that the policy has approves the model, whatever it calls itself; another one does not."""
    rules = world(policy(ModelApproval(sha256=SHA)))
    assert RULE.judge(used(replace(NAMELESS, sha256=SHA)), rules) is None
    assert RULE.judge(used(replace(KNOWN, sha256="cd" * 32)), rules) is not None


def test_approved_by_origin() -> None:
    """What the store says of a model matches a pattern; a store that knows no repository matches none."""
    rules = world(policy(ModelApproval(origin="huggingface:meta-llama/*")))
    assert RULE.judge(used(replace(KNOWN, origin=Source("huggingface", "meta-llama/tiny"))), rules) is None
    assert RULE.judge(used(replace(KNOWN, origin=Source("huggingface", "evil/tiny"))), rules) is not None
    assert RULE.judge(used(replace(KNOWN, origin=Source("huggingface"))), rules) is not None


@pytest.mark.parametrize(
    ("approval", "fires"),
    [
        (ModelApproval(sha256=SHA), False),
        (ModelApproval(sha256=SHA, name="ti*"), False),
        (ModelApproval(sha256=SHA, name="other"), True),
        (ModelApproval(sha256=SHA, origin="huggingface:*"), True),
        (ModelApproval(sha256=SHA, expires=TODAY - timedelta(days=1)), True),
        (ModelApproval(name="other"), True),
    ],
    ids=["any content", "name matches", "another name", "another origin", "expired", "no content"],
)
def test_waits_for_the_content(approval: ModelApproval, fires: bool) -> None:
    """While the sum is being taken, and could still approve the model, nothing is said; else it is said at once."""
    rules = world(policy(approval))
    assert (RULE.judge(used(replace(KNOWN, hash_pending=True)), rules) is not None) is fires
    assert RULE.judge(used(KNOWN), rules) is not None


@pytest.mark.parametrize(("days", "fires"), [(0, False), (1, False), (-1, True)])
def test_approval_holds_until_its_last_day(days: int, fires: bool) -> None:
    """The day comes from the event's time, and the finding says what has expired."""
    expires = TODAY + timedelta(days=days)
    finding = RULE.judge(used(KNOWN), world(policy(ModelApproval(name="tiny", expires=expires))))
    assert (finding is not None) is fires
    if finding is not None:
        assert finding.what.endswith(f"whose approval expired on {expires}")


def test_evidence_is_a_sentence_about_who_and_what() -> None:
    """An analyst sees at once which program, which model, where."""
    finding = RULE.judge(used(KNOWN), world(policy()))
    assert finding is not None
    assert finding.what == f"/usr/bin/llama [100] opened tiny (gguf, llama, Q4_0) at {MODEL}"
    finding = RULE.judge(used(UNREAD, process=process(path=None), count=0), world(policy()))
    assert finding is not None
    assert finding.what == f"a process [100] has in use a.gguf (not identified) at {MODEL}"


def test_subject_is_the_model_not_the_copy() -> None:
    """A copy under another path is the same subject; without a name the path is the subject."""
    copy = model_file("/m/copy.gguf", standing=Standing.MODEL, identity=TINY)
    assert subject_of(copy) == subject_of(KNOWN) == "model:gguf:tiny"
    assert subject_of(NAMELESS) == subject_of(UNREAD) == f"model:{MODEL}"


def test_about() -> None:
    """People are told what is true, how bad it is, and what to do."""
    assert (RULE.about.name, RULE.about.severity) == ("unapproved_model", Severity.MEDIUM)
    assert all((RULE.about.title, RULE.about.description, RULE.about.techniques, RULE.about.false_positives))
    assert used(KNOWN).at == NOW
