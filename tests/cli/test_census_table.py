"""The census as people read it."""

from datetime import datetime
from typing import Any

import pytest

from modelwarden.cli.census_table import as_text, model_name, origin_text
from modelwarden.cli.table import text_width
from modelwarden.cli.terminal import Terminal

SEEN = "2026-01-01T00:00:00Z"
HUB = {"kind": "huggingface", "repository": "Qwen/Qwen2.5-32B-Instruct", "revision": "a" * 40, "name": None}
LOCAL = {"kind": "ollama", "repository": "registry.ollama.ai/library/llama3.2", "name": "llama3.2:1b"}
PLAIN = Terminal()


def page(*workloads: dict[str, Any], models: tuple[dict[str, Any], ...] = (), screen: Terminal = PLAIN) -> str:
    """The census of these."""
    return as_text(list(workloads), list(models), SEEN, screen)


def words(line: str) -> str:
    """The line with single spaces."""
    return " ".join(line.split())


def test_grouped_by_user(a_workload: Any) -> None:
    """Each user once with what is theirs, what runs first, whatever the order of coming."""
    text = page(
        a_workload(id="w1", user="bob", uid=1, models=[]),
        a_workload(id="w2", models=[], running=False, last_seen="whenever"),
        a_workload(id="w3", models=[]),
    )
    lines = [line for line in text.splitlines()[1:-2] if "because" not in line]
    assert lines == [
        "alice: 2 workloads, 1 running",
        "  running   llama-server (llama.cpp)",
        "  whenever  llama-server (llama.cpp)",
        "bob: 1 workload, 1 running",
        "  running   llama-server (llama.cpp)",
    ]


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"unit": "ollama.service", "exe": "/usr/bin/ollama", "runtime": "ollama"}, "ollama, ollama.service"),
        ({"container": "docker:gw", "container_image": "vllm:1"}, "llama-server (llama.cpp), docker:gw (vllm:1)"),
        ({"container": "docker:3f2a9c"}, "llama-server (llama.cpp), docker:3f2a9c"),
        ({"application": "flatpak:org.x", "exe": None}, "llama.cpp, flatpak:org.x"),
        ({"runtime": None, "login_user": "alice"}, "llama-server"),
        ({"runtime": None, "exe": None, "login_user": "1000"}, "?"),
        ({"user": "root", "uid": 0, "login_user": "eve", "unit": "a"}, "llama-server (llama.cpp), logged in as eve, a"),
    ],
)
def test_workload_says_what_and_where(facts: dict[str, Any], shown: str, a_workload: Any) -> None:
    """Program, runtime, who logged in for it, container, application and unit, as far as they are known."""
    assert page(a_workload(**facts)).splitlines()[2] == f"  running  {shown}"


def test_workload_has_its_models_below(a_model: Any, a_workload: Any) -> None:
    """One row a model, with where it came from and whether that is verified."""
    models = [a_model(verified=True, origin=LOCAL), a_model(name=None, path="/srv/other.bin", architecture=None)]
    lines = page(a_workload(models=models)).splitlines()
    assert words(lines[3]) == "tiny llama Q4_K_M 4.58 GiB ollama llama3.2:1b yes"
    assert words(lines[4]) == "other.bin - Q4_K_M 4.58 GiB unknown no"


def test_workload_without_a_model_says_why_it_is_one(a_workload: Any) -> None:
    """Nobody has to guess why a program stands in the census."""
    assert "    because: loads libllama.so; is ollama" in page(
        a_workload(models=[], why=["loads libllama.so", "is ollama"])
    )


def test_model_says_who_uses_it(a_model: Any, a_workload: Any) -> None:
    """Users and workloads are counted, each once."""
    workloads = [a_workload(id="w1"), a_workload(id="w2"), a_workload(id="w3", uid=7, user="bob")]
    model = a_model(sha256="0123456789abcdef" * 4, license="mit", last_seen="whenever")
    text = page(*workloads, models=(model,)).split("\n\n")[1]
    assert text.split()[:3] == ["MODEL", "FORMAT", "PARAMS"]
    assert words(text.splitlines()[1]) == "tiny gguf 1 M Q4_K_M mit unknown 2 3 3 0123456789ab whenever"


def test_unread_model_says_why(a_model: Any) -> None:
    """A file that could not be read stands with its reason."""
    text = page(models=(a_model(format=None, reason="it is gone"),))
    assert "not read" in text
    assert text.splitlines()[2] == "    it is gone"


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"name": "tiny", "origin": HUB}, "tiny"),
        ({"origin": LOCAL}, "llama3.2:1b"),
        ({"origin": {**HUB, "file": "model.safetensors"}}, "Qwen2.5-32B-Instruct"),
        ({"origin": {**HUB, "file": "onnx/model_q4.onnx"}}, "Qwen2.5-32B-Instruct/model_q4.onnx"),
        ({"origin": None}, "a-00001-of-00003.gguf"),
        ({"shards": {"seen": 3, "count": 3}}, "a.gguf (3 files)"),
        ({"name": "tiny", "shards": {"seen": 2, "count": 3}}, "tiny (2 of 3 files)"),
        (
            {"shards": {"seen": 3, "count": 3}, "origin": {**HUB, "file": "model-00001-of-00003.safetensors"}},
            "Qwen2.5-32B-Instruct (3 files)",
        ),
        ({"path": None}, "?"),
    ],
)
def test_model_has_a_name(facts: dict[str, Any], name: str) -> None:
    """By itself, by its store, else by its file; a model of several files says how many were seen."""
    assert model_name({"path": "/m/a-00001-of-00003.gguf", **facts}) == name


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (None, "unknown"),
        ({}, "unknown"),
        (HUB, "huggingface Qwen/Qwen2.5-32B-Instruct"),
        (LOCAL, "ollama llama3.2:1b"),
        ({"kind": "lmstudio"}, "lmstudio"),
        ({**LOCAL, "remote_host": "ollama.com"}, "ollama llama3.2:1b (runs at ollama.com)"),
    ],
)
def test_origin_is_store_and_name(origin: dict[str, Any] | None, text: str) -> None:
    """A model that only looks local says where it runs."""
    assert origin_text({"origin": origin}) == text


def summary(*workloads: dict[str, Any], models: tuple[dict[str, Any], ...], since: str | None = None) -> str:
    """The last line."""
    return as_text(
        list(workloads), list(models), SEEN, PLAIN, since=since, now=datetime.fromisoformat(SEEN)
    ).splitlines()[-1]


def test_summary_counts(a_model: Any, a_workload: Any) -> None:
    """Users, workloads, models, bytes, and what there is to doubt."""
    workloads = a_workload(id="w1"), a_workload(id="w2", running=False), a_workload(id="w3", user="bob", uid=7)
    models = (a_model(size=1 << 30, origin=HUB, verified=True), a_model(size=1 << 30, origin=HUB), a_model(size=None))
    assert (
        summary(*workloads, models=models)
        .partition(" (328")[0]
        .startswith(
            "2 users, 3 workloads (2 running), 3 models, 2 GiB; 1 of unknown origin, 2 not verified; as of 2026-01-01"
        )
    )


def test_summary_without_doubts(a_model: Any) -> None:
    """Where all is known and verified, nothing is said of it."""
    line = summary(models=(a_model(size=1024, origin=HUB, verified=True),))
    assert line.startswith("0 users, 0 workloads (0 running), 1 model, 1 KiB; as of 2026")


def test_summary_says_what_is_new(a_model: Any, a_workload: Any) -> None:
    """Given a time to look back to, then it says how much was not there before."""
    old = a_model(first_seen="2025-12-31T23:59:59.999999Z")
    just = a_model(first_seen="2026-01-01T00:00:00.000000Z")
    line = summary(a_workload(), models=(old, just, just), since=SEEN)
    assert f"; new since {SEEN}: 1 workload, 2 models; " in line


@pytest.mark.parametrize("width", [80, 120, 200])
def test_fits_the_terminal(width: int, a_model: Any, a_workload: Any) -> None:
    """Given long names, then no line of the tables is wider than the terminal."""
    model = a_model(
        name="n" * 90, path="/m/" + "p" * 90, architecture="a" * 30, quantization="Q" * 20, license="l" * 60,
        origin={**HUB, "repository": "日本" * 40}, sha256="0" * 64, opens=123_456, parameters=999_000_000_000,
    )  # fmt: skip
    long = a_workload(
        models=[model, a_model()], container="docker:" + "c" * 90, container_image="i" * 90, why=["w" * 99]
    )
    text = page(long, a_workload(models=[], why=["w" * 300]), models=(model, a_model()), screen=Terminal(width))
    tables = text.split("\n\n")[:2]
    assert [line for table in tables for line in table.splitlines() if text_width(line) > width] == []
    assert ("no room for" in tables[1]) == (width < 200)


def test_eighty_columns_show_what_matters_most(a_model: Any, a_workload: Any) -> None:
    """Name, origin and the mark stay, the hash is the first to go."""
    model = a_model(name="Meta Llama 3.1 8B Instruct", license="llama3.1", origin=LOCAL, sha256="0" * 64)
    first, second, _ = page(a_workload(models=[model]), models=(model,), screen=Terminal(80)).split("\n\n")
    assert words(first.splitlines()[0]) == "WHO RUNS WHAT QUANT SIZE ORIGIN VERIFIED"
    assert words(second.splitlines()[0]).startswith("MODEL FORMAT PARAMS QUANT ORIGIN USERS")
    assert "SHA-256" in second.splitlines()[-1]


def test_nothing_is_cut_for_a_pipe(a_model: Any, a_workload: Any) -> None:
    """Who greps finds all of it, without colours."""
    text = page(a_workload(container="c" * 300, models=[a_model(name="n" * 300)]), models=(a_model(sha256="0" * 64),))
    assert "c" * 300 in text
    assert "n" * 300 in text
    assert "0" * 12 in text
    assert "\x1b" not in text


def test_colours(a_model: Any, a_workload: Any) -> None:
    """What runs is green, what nobody verified is yellow."""
    text = page(a_workload(models=[a_model()]), screen=Terminal(100, colour=True))
    assert "\x1b[32m  running  llama-server (llama.cpp)\x1b[0m" in text
    assert text.splitlines()[3].endswith("\x1b[33mno\x1b[0m")


HOSTILE = "x\n\x1b[2J\u202e\udcff"


def test_hostile_names_draw_nothing(a_model: Any, a_workload: Any) -> None:
    """Whatever names hold, each row stays one row of harmless text."""
    names = dict.fromkeys(("name", "architecture", "quantization", "license", "format", "reason"), HOSTILE)
    model = a_model(
        **names, origin=dict.fromkeys(("kind", "repository", "name", "remote_host"), HOSTILE), sha256=HOSTILE
    )
    where = dict.fromkeys(("user", "exe", "runtime", "unit", "container", "container_image", "application"), HOSTILE)
    workload = a_workload(models=[model], login_user=f"{HOSTILE}2", **where)
    text = page(workload, a_workload(id="w2", models=[], why=[HOSTILE]), models=(model,), screen=Terminal(200))
    assert (
        len(text.splitlines())
        == len(page(a_workload(), a_workload(user="b", models=[]), models=(a_model(),)).splitlines()) + 1
    )
    assert all(line.isprintable() for line in text.splitlines())
