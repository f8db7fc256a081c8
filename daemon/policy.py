"""What the organisation approves: the policy file as types, and the pure question whether a model is approved."""

from datetime import date
from fnmatch import fnmatchcase

import msgspec


class ModelApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One approval; every pattern that it names must match."""

    name: str | None = None
    """The model's own name, shell-style pattern."""
    origin: str | None = None
    """Where it came from, `kind:repository`, shell-style pattern."""
    sha256: str | None = None
    """The content, 64 hexadecimal digits."""
    owner: str | None = None
    reason: str | None = None
    expires: date | None = None
    """The last day on which the approval holds (UTC)."""


class ModelsPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[models]`: when it is there, what is not approved is unapproved."""

    approved: tuple[ModelApproval, ...] = ()


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The policy file; a section that is absent has no opinion, an empty list approves nothing."""

    models: ModelsPolicy | None = None
