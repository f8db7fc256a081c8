"""Secrets that leave command lines before anybody can keep them."""

import re
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.probes import redact as module
from modelwarden.probes.redact import REDACTED, redact

SECRET = "S3cr3tValue0123456789"  # noqa: S105
PATTERNS = {name: one for name, one in vars(module).items() if isinstance(one, re.Pattern)}
HOSTILE = [
    "a",
    "-",
    "_",
    "token",
    "token ",
    "token=",
    "auth",
    "authorization",
    "authorization:",
    "eyJ",
    "eyJ-",
    "eyJa.",
]
HOSTILE += ["://", "://a:", "a:", "@", "sk-", "sk-a-", "hf_", "ghp_", " ", "\n", "=", "'", "AKIA", "xoxb-", "password'"]
ENDS = ["", " ", "=", ".", "@", "\0"]


@pytest.mark.parametrize(
    "words",
    [
        ("--api-key", SECRET),
        ("--api_key", SECRET),
        ("--apikey", SECRET),
        ("--hf-token", SECRET),
        ("-token", SECRET),
        ("-u", f"user:{SECRET}"),
        ("--private-key", SECRET),
        (f"https://{SECRET}@example.com/x",),
        ("--OPENAI_API_KEY", SECRET),
        ("--secret-key", SECRET),
        ("--password", SECRET),
        ("--passwd", SECRET),
        ("--key-passphrase", SECRET),
        ("--auth", SECRET),
        ("--credentials", SECRET),
        ("--password", "a b " + SECRET),
        (f"--api-key={SECRET}",),
        (f"--token={SECRET}",),
        (f"HF_TOKEN={SECRET}",),
        (f"AWS_SECRET_ACCESS_KEY={SECRET}",),
        (f"DJANGO_SECRET_KEY={SECRET}",),
        (f"password: {SECRET}",),
        (f"password={SECRET} and {SECRET}",),
        (f"X-Api-Key: {SECRET}",),
        (f"token={SECRET}\nmore {SECRET}",),
        (f'{{"api_key": "{SECRET}", "model": "x"}}',),
        ("-H", f"Authorization: Bearer {SECRET}"),
        ("-H", f"authorization:Basic {SECRET}"),
        (f"Authorization: {SECRET}",),
        (f"https://alice:{SECRET}@host/x",),
        (f"redis://:{SECRET}@host:6379/0",),
        (f"postgres://alice:a@{SECRET}@host/x",),
        (f"import os; os.environ['OPENAI_API_KEY']='{SECRET}'",),
        (f"curl https://x/?key=1&access_key={SECRET}",),
        (f"sk-{SECRET}",),
        (f"use sk-ant-api03-{SECRET} please",),
        (f"hf_{SECRET}",),
        (f"ghp_{SECRET}",),
        (f"github_pat_{SECRET}",),
        (f"glpat-{SECRET}",),
        (f"xoxb-{SECRET}",),
        (f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",),
        (f"--x=eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",),
        ("--token", "--api-key", SECRET),
    ],
    ids=lambda words: " ".join(words).replace(SECRET, "…").replace("\n", "|"),
)
def test_secret_is_gone(words: tuple[str, ...]) -> None:
    """A secret of any known shape leaves, and one can see that it did."""
    said = redact(words)
    assert SECRET not in " ".join(said)
    assert REDACTED in " ".join(said)
    assert len(said) == len(words)


def test_access_key_of_a_cloud() -> None:
    """Twenty capitals and digits that begin with AKIA are a key wherever they stand."""
    assert redact(("x AKIAIOSFODNN7EXAMPLE y",)) == (f"x {REDACTED} y",)


@pytest.mark.parametrize(
    "words",
    [
        ("llama-server", "-m", "/m/a.gguf", "--port", "8080", "--ctx-size", "4096"),
        (
            "python3",
            "-m",
            "vllm.entrypoints.openai.api_server",
            "--tokenizer",
            "meta-llama/Llama-3",
            "--max-tokens=100",
        ),
        ("ollama", "run", "llama3:8b"),
        ("git", "clone", "git@github.com:org/repo.git", "https://github.com/org/repo"),
        ("curl", "http://127.0.0.1:8080/v1/models", "-o", "/tmp/x"),
        ("vim", "/home/alice/passwords/notes.txt", "author: alice", "the secretary"),
        ("ssh", "-p", "22", "alice@host", "echo 'a: b'"),
        ("python3", "-c", "import torch; print(torch.load('/m/a.pt')['keys'])"),
        ("rsync", "rsync://host:873/path@1", "file:///srv/a@b"),
        ("docker", "run", "sha256:" + "ab" * 32, "AKIA"),
        ("a\udcffb", "", " ", "\x1b[31m"),
        (),
    ],
    ids=lambda words: " ".join(words[:2]) or "nothing",
)
def test_ordinary_words_stay(words: tuple[str, ...]) -> None:
    """A command line without secrets is shown as it is."""
    assert redact(words) == words


def test_what_says_what_stays() -> None:
    """The name of the secret, and what stands around it, can still be read."""
    assert redact(("--hf-token", SECRET, "--port", "1")) == ("--hf-token", REDACTED, "--port", "1")
    assert redact((f"HF_TOKEN={SECRET}",)) == (f"HF_TOKEN={REDACTED}",)
    assert redact((f"https://alice:{SECRET}@host/x",)) == (f"https://alice:{REDACTED}@host/x",)
    assert redact((f"Authorization: Bearer {SECRET}",)) == (f"Authorization: Bearer {REDACTED}",)


def test_flag_without_its_value_hides_nothing() -> None:
    """A flag is followed by its secret, not by another flag; at the end nothing follows."""
    assert redact(("--token", "--port", "1")) == ("--token", "--port", "1")
    assert redact(("--token",)) == ("--token",)


@given(st.lists(st.text() | st.lists(st.sampled_from(HOSTILE)).map("".join), max_size=8))
def test_never_raises(words: list[str]) -> None:
    """Whatever the words are, there are as many of them as before, and to redact twice is to redact once."""
    said = redact(tuple(words))
    assert len(said) == len(words)
    assert redact(said) == said


@given(st.text(), st.sampled_from(["--token=", "API_KEY=", "password: "]), st.text(max_size=9))
def test_assigned_secret_is_gone_whatever_stands_before(before: str, name: str, after: str) -> None:
    """Context does not hide a secret from us."""
    assert SECRET not in redact((f"{before}{name}{SECRET}{after}",))[0]


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_time_grows_with_the_length_only(name: str) -> None:
    """No pattern takes a time that grows with the square of a hostile word's length.

    A linear pattern needs some 3 ms for 16 KiB, one that grows with the square seconds.
    """
    for piece, end in product(HOSTILE, ENDS):
        word = (piece * (1 << 14))[: 1 << 14] + end
        begun = time.process_time()
        if name == "_FLAG":
            PATTERNS[name].fullmatch(word)
        else:
            PATTERNS[name].sub("", word)
        assert time.process_time() - begun < 0.15, f"{piece!r} … {end!r}"


def test_patterns_are_found() -> None:
    """The test above does not pass because there is nothing to look at."""
    assert len(PATTERNS) >= 4
