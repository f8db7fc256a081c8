"""What the organisation approves: the policy file as types, and the pure question whether a model is approved."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

MAX_PATTERN = 512
"""Characters in a pattern; a longer one is refused when it is read."""

MAX_FACT = 4096
"""Characters in a model's name or origin; a longer one (it is the file's own claim) matches nothing.

`fnmatch` compiles `*` to atomic groups: its cost grows with the product of both lengths, not
exponentially, and these limits bound the product.
"""

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


class ModelApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One approval; every pattern that it names must match.

    Patterns are shell-style (`*`, `?`, `[a-z]`) and case-sensitive; `*` spans `/` too.
    """

    name: str | None = None
    """The model's own name, shell-style pattern. The file says it of itself: a claim, no proof.
    Example: `"tiny-random*"`"""
    origin: str | None = None
    """Where it came from, `kind:repository`, shell-style pattern.
    Example: `"huggingface:meta-llama/*"`"""
    sha256: str | None = None
    """The content, 64 hexadecimal digits.
    Example: `"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`"""
    owner: str | None = None
    """Who answers for the approval; for people.
    Example: `"ml-platform"`"""
    reason: str | None = None
    """Why it is approved; for people.
    Example: `"code assistant"`"""
    expires: date | None = None
    """The last day on which the approval holds (UTC); without it the approval has no end.
    Example: `2027-06-01`"""

    def __post_init__(self) -> None:
        """Refuse an entry that could not mean what its author wanted; `ValueError` in words for a person."""
        if self.name is None and self.origin is None and self.sha256 is None:
            raise ValueError("has no name, origin or sha256, so it would approve every model; add one of them")
        for key, pattern in (("name", self.name), ("origin", self.origin)):
            if pattern is not None and not 0 < len(pattern) <= MAX_PATTERN:
                raise ValueError(f"{key} has {len(pattern)} characters; a pattern has 1 to {MAX_PATTERN}")
        if self.sha256 is not None and _SHA256.fullmatch(self.sha256) is None:
            raise ValueError(
                f"sha256 must be 64 hexadecimal digits, not {len(self.sha256)} characters that start "
                f"with {self.sha256[:12]!r}; sha256sum prints it"
            )


class ModelsPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When this section is there, what is not approved is unapproved."""

    approved: tuple[ModelApproval, ...] = ()
    """One entry per approval; an empty list approves nothing."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The policy file; a section that is absent has no opinion, an empty list approves nothing."""

    models: ModelsPolicy | None = None
    """Which models may be used."""


class Opinion(StrEnum):
    """What the policy says of one model."""

    NONE = "none"
    """There is no `[models]` section: anything goes."""
    APPROVED = "approved"
    EXPIRED = "expired"
    """An entry matches, but its last day is over."""
    UNAPPROVED = "unapproved"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The policy's opinion on one model, with the entry it rests on."""

    opinion: Opinion
    entry: int | None = None
    """Index in `models.approved` of the entry that matched, for `approved` and `expired`."""
    approval: ModelApproval | None = None
    """That entry."""
    verified: bool = False
    """The entry names the content; what rests on a name or an origin alone rests on a claim."""

    @property
    def allowed(self) -> bool:
        """Whether nothing is to be said about the model."""
        return self.opinion in {Opinion.NONE, Opinion.APPROVED}


def _matches(pattern: str | None, fact: str | None) -> bool:
    if pattern is None:
        return True
    return fact is not None and len(fact) <= MAX_FACT and fnmatchcase(fact, pattern)


def _same_content(wanted: str | None, sha256: str | None) -> bool:
    return wanted is None or (sha256 is not None and wanted.lower() == sha256.lower())


def _may_be(approval: ModelApproval, name: str | None, origin: str | None) -> bool:
    return _matches(approval.name, name) and _matches(approval.origin, origin)


def _holds(approval: ModelApproval, today: date) -> bool:
    return approval.expires is None or today <= approval.expires


def awaits_hash(policy: Policy, *, name: str | None, origin: str | None, today: date) -> bool:
    """Whether an approval of content could still be that of a model whose content is not known yet."""
    return policy.models is not None and any(
        approval.sha256 is not None and _holds(approval, today) and _may_be(approval, name, origin)
        for approval in policy.models.approved
    )


def judge_model(policy: Policy, *, name: str | None, origin: str | None, sha256: str | None, today: date) -> Judgement:
    """What the policy says of a model; `today` is a UTC date.

    An unknown fact (`None`) never matches. Of several entries that match, one that holds wins over
    an expired one, then one by content over one by claims, then the first.
    """
    if policy.models is None:
        return Judgement(Opinion.NONE)
    best: Judgement | None = None
    for index, approval in enumerate(policy.models.approved):
        if not (_same_content(approval.sha256, sha256) and _may_be(approval, name, origin)):
            continue
        opinion = Opinion.APPROVED if _holds(approval, today) else Opinion.EXPIRED
        found = Judgement(opinion, index, approval, verified=approval.sha256 is not None)
        if best is None or _rank(found) > _rank(best):
            best = found
    return best or Judgement(Opinion.UNAPPROVED)


def _rank(judgement: Judgement) -> tuple[bool, bool]:
    return (judgement.opinion is Opinion.APPROVED, judgement.verified)
