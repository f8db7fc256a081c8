"""Loads the policy file and renders its sample."""

import hashlib
from pathlib import Path

from modelwarden.daemon import toml_file
from modelwarden.daemon.policy import Policy
from modelwarden.daemon.sample import render_sample

DEFAULT_POLICY = Path("/etc/modelwarden/policy.toml")

NO_DIGEST = "none"
"""The digest of a policy that no file holds."""


def load_policy(path: Path | None = None, *, default: Path = DEFAULT_POLICY) -> tuple[Policy, str]:
    """The policy of the named file with the SHA-256 (hexadecimal) of its bytes.

    Without a name it is the default file; when that is absent, the policy without an opinion and
    `NO_DIGEST`. Raises `ConfigError`.
    """
    policy, data = toml_file.load(path, default, Policy)
    if policy is None:
        return Policy(), NO_DIGEST
    return policy, hashlib.sha256(data).hexdigest()


def policy_sample() -> str:
    """The sample `policy.toml`: all of it commented out, because a live section would judge at once."""
    return render_sample(Policy)
