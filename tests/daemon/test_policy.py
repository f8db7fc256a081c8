"""What the policy says of a model."""

import time
from datetime import date

import pytest

from modelwarden.daemon.policy import ModelApproval, ModelsPolicy, Opinion, Policy, awaits_hash, judge_model

TODAY = date(2026, 6, 1)
SHA = "ab" * 32


def policy(*approved: ModelApproval) -> Policy:
    """A policy with a section for models."""
    return Policy(models=ModelsPolicy(approved=approved))


def judge(rules: Policy, name: str | None = None, origin: str | None = None, sha256: str | None = None) -> Opinion:
    """The opinion alone."""
    return judge_model(rules, name=name, origin=origin, sha256=sha256, today=TODAY).opinion


def test_absent_section_has_no_opinion() -> None:
    """Without `[models]` anything goes."""
    judgement = judge_model(Policy(), name="x", origin=None, sha256=None, today=TODAY)
    assert judgement.opinion is Opinion.NONE
    assert judgement.allowed


def test_empty_list_approves_nothing() -> None:
    """An empty list is an opinion: no."""
    assert judge(policy(), name="x") is Opinion.UNAPPROVED


def test_every_pattern_must_match() -> None:
    """An entry with a name and an origin wants both."""
    rules = policy(ModelApproval(name="llama*", origin="huggingface:meta-llama/*"))
    assert judge(rules, "llama-3", "huggingface:meta-llama/Llama-3") is Opinion.APPROVED
    assert judge(rules, "llama-3", "huggingface:evil/Llama-3") is Opinion.UNAPPROVED
    assert judge(rules, "LLAMA-3", "huggingface:meta-llama/Llama-3") is Opinion.UNAPPROVED


def test_unknown_fact_never_matches() -> None:
    """Not even a star matches what is not known."""
    rules = policy(ModelApproval(name="*", origin="*"))
    assert judge(rules, "x", None) is Opinion.UNAPPROVED
    assert judge(policy(ModelApproval(sha256=SHA)), "x") is Opinion.UNAPPROVED


def test_content_is_verified_and_claims_are_not() -> None:
    """Approval by hash rests on the content, whatever the case of its digits; by name it rests on a claim."""
    rules = policy(ModelApproval(name="x"), ModelApproval(sha256=SHA.upper()))
    by_hash = judge_model(rules, name="x", origin=None, sha256=SHA, today=TODAY)
    by_name = judge_model(rules, name="x", origin=None, sha256=None, today=TODAY)
    assert (by_hash.entry, by_hash.verified) == (1, True)
    assert (by_name.entry, by_name.verified) == (0, False)


@pytest.mark.parametrize(
    ("expires", "opinion"), [(date(2026, 6, 1), Opinion.APPROVED), (date(2026, 5, 31), Opinion.EXPIRED)]
)
def test_expires_is_the_last_day(expires: date, opinion: Opinion) -> None:
    """An approval holds on its last day, and not after."""
    assert judge(policy(ModelApproval(name="x", expires=expires)), "x") is opinion


def test_one_that_holds_wins_over_an_expired_one() -> None:
    """An entry that was renewed below the old one counts."""
    rules = policy(ModelApproval(sha256=SHA, expires=date(2020, 1, 1)), ModelApproval(name="x"))
    judgement = judge_model(rules, name="x", origin=None, sha256=SHA, today=TODAY)
    assert (judgement.opinion, judgement.entry) == (Opinion.APPROVED, 1)


@pytest.mark.parametrize(
    "wrong", [{}, {"owner": "me"}, {"name": ""}, {"origin": "x" * 513}, {"sha256": "ab"}, {"sha256": "g" * 64}]
)
def test_meaningless_approvals_cannot_be_made(wrong: dict[str, str]) -> None:
    """An entry that would approve everything, or never anything, is refused."""
    with pytest.raises(ValueError, match=r"add one of them|pattern has|64 hexadecimal"):
        ModelApproval(**wrong)  # type: ignore[arg-type]


def test_hostile_names_are_cheap() -> None:
    """The longest pattern of stars on the longest name ends soon, and a longer name matches nothing."""
    rules = policy(ModelApproval(name="*a" * 250 + "b"))
    started = time.monotonic()
    assert judge(rules, "a" * 4096) is Opinion.UNAPPROVED
    assert time.monotonic() - started < 5
    assert judge(policy(ModelApproval(name="*")), "a" * 4097) is Opinion.UNAPPROVED


@pytest.mark.parametrize(
    ("rules", "awaits"),
    [
        (Policy(), False),
        (policy(), False),
        (policy(ModelApproval(name="x")), False),
        (policy(ModelApproval(sha256=SHA)), True),
        (policy(ModelApproval(name="y"), ModelApproval(sha256=SHA, name="x", origin="ollama:*")), True),
        (policy(ModelApproval(sha256=SHA, name="y")), False),
        (policy(ModelApproval(sha256=SHA, origin="huggingface:*")), False),
        (policy(ModelApproval(sha256=SHA, expires=date(2026, 5, 31))), False),
        (policy(ModelApproval(sha256=SHA, expires=TODAY)), True),
    ],
)
def test_awaits_hash(rules: Policy, awaits: bool) -> None:
    """The content matters when an entry names one, holds, and matches in all that is known."""
    assert awaits_hash(rules, name="x", origin="ollama:library/x", today=TODAY) is awaits
