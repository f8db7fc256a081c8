"""What is replaced in a text, and what everybody knows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.made_up import ANY_TEXT

from modelwarden.daemon.identify.runtimes.reading.command_line import script_of
from modelwarden.daemon.pseudonyms import Pseudonyms
from modelwarden.probes.candidate import STRONG_SUFFIXES, TAMPER_TARGETS, WEAK_SUFFIXES

HEX64, HEX40 = "5e" * 32, "a1" * 20
KEY = b"key"


@pytest.fixture
def names() -> Pseudonyms:
    """One that knows two people."""
    return Pseudonyms(KEY, ["dana", "jo"])


def shape(text: str) -> str:
    """The text with `#` for each pseudonym."""
    return re.sub(r"p[0-9a-f]{8}", "#", text)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/dana/models/x7f3a2c.gguf", "/home/#/models/#.gguf"),
        ("/home/llama/model.gguf", "/home/#/model.gguf"),
        ("/home/4711001/a b.gguf", "/home/#/#.gguf"),
        ("/root/.cache/torch/acme.pt", "/root/.cache/torch/#.pt"),
        (f"/var/lib/ollama/models/blobs/sha256-{HEX64}", f"/var/lib/ollama/models/blobs/sha256-{HEX64}"),
        (f"/usr/share/ollama/.ollama/models/blobs/sha256-{HEX64}-partial-3", None),
        (
            f"/home/dana/.cache/huggingface/hub/models--acme--llama-7b/snapshots/{HEX40}/model-00001-of-00003.safetensors",
            f"/home/#/.cache/huggingface/hub/models--acme--llama-7b/snapshots/{HEX40}/model-00001-of-00003.safetensors",
        ),
        (f"/srv/hub/models--dana--x/blobs/{HEX64}", f"/srv/hub/models--#--x/blobs/{HEX64}"),
        ("/opt/acme/acme-00002-of-00007.gguf", "/opt/#/#-00002-of-00007.gguf"),
        ("/usr/bin/python3.11", None),
        ("/opt/acme/bin/python-acme", "/opt/#/bin/python#"),
        ("/usr/lib/python3.11/site-packages/torch/acme.py", "/usr/lib/python3.11/site-packages/torch/#.py"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice", None),
        (f"/system.slice/docker-{HEX64}.scope", None),
        ("/system.slice/acme-billing.service", "/system.slice/#.service"),
        ("…/acme/model.bin", "…/#/model.bin"),
        ("/etc/ld.so.preload", None),
        ("/m/\udcff.gguf", "/#/#.gguf"),
        ("./acme/../train.py", "./#/../train.py"),
        ("https://dana:x@models.acme.example:8443/a/b?c=d", "https://#@#:8443/#/#"),
        ("https://huggingface.co/acme/llama", "https://huggingface.co/#/llama"),
        ("/", None),
        ("", None),
    ],
)
def test_paths(names: Pseudonyms, path: str, shown: str | None) -> None:
    """Components that everybody knows stay, and what a file's name ends in; `None` is all of it."""
    assert shape(names.path(path)) == (path if shown is None else shown)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("llama-server", "-m", "/home/dana/a.gguf", "-ngl", "99"), "llama-server -m /home/#/#.gguf -ngl 99"),
        (("x", "--model=/data/acme/a.gguf", "--port=8080"), "# --model=/data/#/#.gguf --port=8080"),
        (("python3", "-X", "dev", "acme.py", "--name", "acme"), "python3 -X dev #.py --name #"),
        (("python3", "-m", "vllm.entrypoints.openai.api_server"), "python3 -m vllm.entrypoints.openai.api_server"),
        (("python3", "-c", "print('acme')"), "python3 -c #"),
        (("mysql", "-pacme", "--ACME", "--x-dana"), "mysql -p# --# --#"),
        (("env", "ACME_HOME=/data/acme", "ACME=1"), "env #=/data/# #=1"),
        (("x", "[redacted]", "dana:[redacted]"), "# [redacted] #:[redacted]"),
        (("x", "0.0.0.0:8080", "127.0.0.1", "10.1.2.3", "10.1.2.3:80", "fe80::12:1", "::1"), None),
        (("x", HEX64, "-5", "1e", "0.25", ""), "# # -5 # 0.25 "),
        (("x", "what shall I tell acme?"), "# #"),
    ],
)
def test_command_lines(names: Pseudonyms, words: tuple[str, ...], shown: str | None) -> None:
    """Options and numbers stay."""
    found = shape(" ".join(names.arguments(words)))
    assert found == (shown or "# 0.0.0.0:8080 127.0.0.1 # #:80 # ::1")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("its header is larger than an inspection reads", None),
        ("/home/dana/a.gguf: Permission denied", "/home/#/#.gguf: Permission denied"),
        ("(dana) read acme, again.", "(#) read #, again."),
        ("it has 5 tensors of 1,024 bytes", None),
    ],
)
def test_sentences(names: Pseudonyms, text: str, shown: str | None) -> None:
    """The words of our own messages stay."""
    assert shape(names.prose(text)) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Llama 3.2 1B Instruct", None),
        ("dana-llama", "#-llama"),
        ("DanaGPT", "#GPT"),
        ("jo/jolly-7b", "#/jolly-7b"),
        ("/home/dana/acme", "/home/#/#"),
    ],
)
def test_claims(names: Pseudonyms, text: str, shown: str | None) -> None:
    """What a model says of itself stays but for the people in it."""
    assert shape(names.claim(text)) == (text if shown is None else shown)


def test_people_are_nobody_elses_words(names: Pseudonyms) -> None:
    """Given somebody called as half of the world's folders, then the word is replaced wherever it stands."""
    assert names.path("/srv/models/x") == "/srv/models/" + names.name("x")
    names.meet("models")
    assert shape(names.path("/srv/models/x")) == "/srv/#/#"
    assert shape(names.prose("models")) == "#"


def test_accounts_of_the_system_are_nobody(names: Pseudonyms) -> None:
    """`root` may not turn every `root` into a pseudonym."""
    names.meet("root")
    assert (names.user("root"), names.user("1000"), shape(names.user("alice"))) == ("root", "1000", "#")


def test_who_has_a_home_is_a_person(names: Pseudonyms) -> None:
    """The folders of homes are names."""
    names.meet_homes("/var/home/alice/x")
    assert shape(names.claim("alice-7b")) == "#-7b"


@given(ANY_TEXT, ANY_TEXT)
def test_the_same_is_the_same_and_others_are_others(one: str, other: str) -> None:
    """By the key alone."""
    names, again, otherwise = Pseudonyms(KEY), Pseudonyms(KEY), Pseudonyms(b"another")
    assert names.path(one) == again.path(one)
    assert (names.name(one) == names.name(other)) == (one == other)
    assert names.name(one) != otherwise.name(one)


@given(ANY_TEXT)
def test_every_way_takes_every_text(text: str) -> None:
    """Nothing that a name can hold stops it."""
    names = Pseudonyms(KEY, ["dana"])
    for way in (names.path, names.prose, names.claim, names.text, names.word, names.term, names.user):
        assert isinstance(way(text), str)
    assert len(names.arguments([text, text])) == 2


@given(st.sampled_from(sorted(STRONG_SUFFIXES | WEAK_SUFFIXES)), st.text("abcxyz-_. ", max_size=9))
def test_a_file_keeps_what_it_is_recognised_by(suffix: str, stem: str) -> None:
    """Every suffix of the kernel's filter stays."""
    assert Pseudonyms(KEY).path(f"/x/{stem}.{suffix}").endswith(f".{suffix}")


def test_named_files_are_recognised(names: Pseudonyms) -> None:
    """What the code compares names with survives."""
    assert {names.component(one) for one in TAMPER_TARGETS} == TAMPER_TARGETS


@given(
    st.sampled_from(("/usr/bin/python3", "/opt/acme/python-acme", "/usr/bin/acme", "/usr/bin/perl5")),
    st.lists(
        st.sampled_from(("-m", "-c", "-X", "-W", "-jar", "-Xdev", "--", "acme.py", "a b", "-u", "acme", "1", "-", "")),
        max_size=5,
    ),
)
def test_a_script_stays_the_script(exe: str, words: list[str]) -> None:
    """What the identity of a workload is made of is replaced, word by word, by what means the same."""
    names = Pseudonyms(KEY)
    arguments = ("x", *words)
    found = script_of(arguments, exe.rpartition("/")[2])
    script = found.split(" ", 1)
    expected = names.arguments([found]) if script[0] not in {"-m", "-jar"} else names.arguments(script)
    assert script_of(names.arguments(arguments), names.path(exe).rpartition("/")[2]) == " ".join(expected)
