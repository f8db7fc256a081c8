"""The policy file."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from modelwarden.daemon.policy import Policy
from modelwarden.daemon.policy_file import NO_DIGEST, load_policy, policy_sample
from modelwarden.daemon.toml_file import ConfigError


def write(tmp_path: Path, content: str) -> Path:
    """A policy.toml with that content."""
    path = tmp_path / "policy.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_absent_default_file_has_no_opinion(tmp_path: Path) -> None:
    """Without a policy nothing is judged."""
    assert load_policy(None, default=tmp_path / "policy.toml") == (Policy(), NO_DIGEST)


def test_policy_comes_with_its_digest(tmp_path: Path) -> None:
    """The digest is that of the file's bytes, so that an alert can name the policy it rests on."""
    path = write(tmp_path, '[[models.approved]]\nname = "x"\nexpires = 2027-06-01\n')
    policy, digest = load_policy(path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert policy.models is not None
    assert policy.models.approved[0].expires == date(2027, 6, 1)


def test_section_alone_is_an_opinion(tmp_path: Path) -> None:
    """`[models]` without a list approves nothing, which differs from no section."""
    policy, _ = load_policy(write(tmp_path, "[models]\n"))
    assert policy.models is not None
    assert policy.models.approved == ()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("{name='a'}, {name='b'}, {sha265='c'}", "models.approved[2].sha265 is unknown; did you mean sha256?"),
        (
            "{owner='me'}",
            "models.approved[0] has no name, origin or sha256, so it would approve every model; add one of them",
        ),
        (
            "{name='a', expires='soon'}",
            "models.approved[0].expires is not a date; write it without quotes, such as 2027-06-01",
        ),
        (
            "{name='a', expires=2027-06-01T00:00:00Z}",
            "models.approved[0].expires is not a date; write it without quotes, such as 2027-06-01",
        ),
        ("{name='a', expires=2027-02-30}", "is not valid TOML: Invalid date or datetime (at line 2, column 32)"),
        (
            "{sha256='abc'}",
            (
                "models.approved[0] sha256 must be 64 hexadecimal digits, not 3 characters that start with 'abc'; "
                "sha256sum prints it"
            ),
        ),
        ("{name=''}", "models.approved[0] name has 0 characters; a pattern has 1 to 512"),
        ("'x'", "models.approved[0]: expected a table, got text"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, entries: str, message: str) -> None:
    """One line names the entry, the mistake and the next step."""
    path = write(tmp_path, f"[models]\napproved = [{entries}]\n")
    with pytest.raises(ConfigError) as caught:
        load_policy(path)
    assert str(caught.value) == f"{path}: {message}"


def test_sample_judges_nothing(tmp_path: Path) -> None:
    """The sample as it is installed has no opinion."""
    policy, _ = load_policy(write(tmp_path, policy_sample()))
    assert policy == Policy()


def test_sample_shows_every_key(tmp_path: Path) -> None:
    """Uncommented, the sample is a policy whose one entry says all that an entry can say."""
    lines = policy_sample().splitlines()
    live = "\n".join(line[1:] if line.startswith("#") and line[1] != " " else line for line in lines)
    policy, _ = load_policy(write(tmp_path, live))
    assert policy.models is not None
    (entry,) = policy.models.approved
    assert None not in {entry.name, entry.origin, entry.sha256, entry.owner, entry.reason, entry.expires}
