"""The census for people: who runs what, the models, how much of it there is."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from modelwarden.cli.census_readers import Readers, user_of
from modelwarden.cli.quantities import ago, amount, size, to_the_second
from modelwarden.cli.table import Column, Line, render
from modelwarden.cli.terminal import BOLD, Terminal
from modelwarden.daemon.printable import printable

if TYPE_CHECKING:
    from modelwarden.daemon.snapshot import Document

GREEN, YELLOW = "32", "33"
HASH_SHOWN = 12
"""Hexadecimal digits of a hash: enough to find it."""
_VERIFIED = {"yes": GREEN, "no": YELLOW}
_PART_NUMBER = re.compile(r"-[0-9]{1,6}-of-[0-9]{1,6}")
_USUAL_FILES = {"model.safetensors", "pytorch_model.bin"}
"""What the only model of a repository is called (huggingface_hub, constants.py): it adds nothing to the repository."""

_WHO_RUNS_WHAT = (
    Column("WHO RUNS WHAT", flexible=True, least=30),
    Column("ARCH", flexible=True, least=5, spare=1),
    Column("QUANT", flexible=True, least=7),
    Column("SIZE", right=True),
    Column("ORIGIN", flexible=True, least=16),
    Column("VERIFIED", colours=_VERIFIED),
)
_MODELS = (
    Column("MODEL", flexible=True, least=18),
    Column("FORMAT", flexible=True, least=11),
    Column("PARAMS", right=True),
    Column("QUANT", flexible=True, least=7),
    Column("LICENCE", flexible=True, least=10, spare=4),
    Column("ORIGIN", flexible=True, least=16),
    Column("USERS", right=True),
    Column("WORKLOADS", right=True, spare=3),
    Column("OPENS", right=True, spare=2),
    Column("SHA-256", spare=5),
    Column("LAST SEEN", spare=1),
)


def as_text(
    workloads: list["Document"],
    models: list["Document"],
    generated_at: str | None,
    screen: Terminal,
    *,
    since: str | None = None,
    now: datetime | None = None,
) -> str:
    """Both tables and the summary, of documents in which shards are merged.

    What was first seen after `since` is counted as new; `now` is what people are told the age from.
    """
    parts = []
    if workloads:
        parts.append(render(_WHO_RUNS_WHAT, _who_runs_what(workloads, now), screen))
    if models:
        readers = Readers(workloads)
        parts.append(render(_MODELS, [row for model in models for row in _model_rows(model, readers, now)], screen))
    return "\n\n".join([*parts, _summary(workloads, models, generated_at, since, now)])


def _who_runs_what(workloads: list["Document"], now: datetime | None) -> Iterator[list[str] | Line]:
    by_user: dict[str, list[Document]] = {}
    for workload in workloads:
        by_user.setdefault(user_of(workload), []).append(workload)
    seen_width = max(len(_seen(workload, now)) for workload in workloads)
    for user, theirs in sorted(by_user.items()):
        running = sum(bool(workload.get("running")) for workload in theirs)
        yield Line(f"{user}: {_count(len(theirs), 'workload')}, {running} running", BOLD)
        for workload in sorted(theirs, key=lambda one: not one.get("running")):
            colour = GREEN if workload.get("running") else None
            yield Line(f"  {_seen(workload, now):<{seen_width}}  {_program(workload)}", colour)
            models = workload.get("models") or ()
            yield from (_used_model_row(model) for model in models)
            if not models and workload.get("why"):
                yield Line("    because: " + "; ".join(map(str, workload["why"])))


def _seen(workload: "Document", now: datetime | None) -> str:
    return "running" if workload.get("running") else ago(workload.get("last_seen"), now)


def _program(workload: "Document") -> str:
    """What it is and where it belongs, the telling things first."""
    program = PurePath(str(workload.get("exe") or "")).name
    runtime = str(workload.get("runtime") or "")
    parts = [f"{program} ({runtime})" if program and runtime not in {"", program} else program or runtime or "?"]
    login = workload.get("login_user")
    if login and login not in {workload.get("user"), str(workload.get("uid"))}:
        parts.append(f"logged in as {login}")
    container, image = workload.get("container"), workload.get("container_image")
    if container:
        parts.append(f"{container} ({image})" if image else str(container))
    parts += [str(workload[name]) for name in ("application", "unit") if workload.get(name)]
    return ", ".join(parts)


def _used_model_row(model: "Document") -> list[str]:
    return [
        f"    {model_name(model)}",
        str(model.get("architecture") or "-"),
        str(model.get("quantization") or "-"),
        size(model.get("size")),
        origin_text(model),
        _verified(model),
    ]


def _model_rows(model: "Document", readers: Readers, now: datetime | None) -> Iterator[list[str] | Line]:
    read_by = readers.of(model)
    parameters = model.get("parameters")
    yield [
        model_name(model),
        str(model.get("format") or "not read"),
        "-" if parameters is None else amount(parameters),
        str(model.get("quantization") or "-"),
        str(model.get("license") or "-"),
        origin_text(model),
        str(len({user_of(workload) for workload in read_by})),
        str(len(read_by)),
        str(model.get("opens") or "-"),
        str(model.get("sha256") or "-")[:HASH_SHOWN],
        ago(model.get("last_seen"), now),
    ]
    if model.get("reason"):
        yield Line(f"    {model['reason']}", YELLOW)


def model_name(model: "Document") -> str:
    """What people call it: by itself, by its store, else the file; with the number of files when it is several."""
    origin, shards = model.get("origin") or {}, model.get("shards")
    name = str(model.get("name") or origin.get("name") or "")
    if not name:
        file = PurePath(str(origin.get("file") or model.get("path") or "?")).name
        if shards:
            file = _PART_NUMBER.sub("", file)
        repository = str(origin.get("repository") or "").rpartition("/")[2]
        name = "/".join([repository] * bool(repository) + [file] * (not repository or file not in _USUAL_FILES))
    if not shards:
        return name
    seen, count = shards["seen"], shards["count"]
    return f"{name} ({count} files)" if seen == count else f"{name} ({seen} of {count} files)"


def origin_text(model: "Document") -> str:
    """`ollama llama3.2:1b`; `unknown` where nothing tells."""
    origin = model.get("origin") or {}
    parts = [origin.get("kind"), origin.get("name") or origin.get("repository")]
    if origin.get("remote_host"):
        parts.append(f"(runs at {origin['remote_host']})")
    return " ".join(str(part) for part in parts if part) or "unknown"


def _verified(model: "Document") -> str:
    return "yes" if model.get("verified") is True else "no"


def _summary(
    workloads: list["Document"],
    models: list["Document"],
    generated_at: str | None,
    since: str | None,
    now: datetime | None,
) -> str:
    running = sum(bool(workload.get("running")) for workload in workloads)
    users = len({user_of(workload) for workload in workloads})
    counted = [_count(users, "user"), f"{_count(len(workloads), 'workload')} ({running} running)"]
    counted += [_count(len(models), "model"), size(sum(model.get("size") or 0 for model in models))]
    parts = [", ".join(counted)]
    unknown = sum(origin_text(model) == "unknown" for model in models)
    unverified = sum(_verified(model) == "no" for model in models)
    doubts = [f"{unknown} of unknown origin"] * bool(unknown) + [f"{unverified} not verified"] * bool(unverified)
    if doubts:
        parts.append(", ".join(doubts))
    if since:
        new = [sum(_is_new(one, since) for one in some) for some in (workloads, models)]
        parts.append(f"new since {since}: {_count(new[0], 'workload')}, {_count(new[1], 'model')}")
    if generated_at:
        parts.append(f"as of {printable(to_the_second(generated_at))} ({ago(generated_at, now)})")
    return "; ".join(parts)


def _is_new(document: "Document", since: str) -> bool:
    # Without its Z a time sorts before itself, with a fraction or without.
    return str(document.get("first_seen") or "") >= since.removesuffix("Z")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
