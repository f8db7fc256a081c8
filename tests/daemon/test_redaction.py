"""No name survives in what is shared, and the same is found in it."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import made_up
from tests.kit import (
    DEVICE,
    NOW,
    SECOND,
    executed,
    exited,
    file_found,
    inode_of,
    is_model,
    opened,
    policy_loaded,
    process_found,
    remembered,
    resynced,
    started,
    tick,
    user_named,
)

from modelwarden.daemon.event import Stopping
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.journal import encode, kinds
from modelwarden.daemon.pipeline import Core
from modelwarden.daemon.policy import ModelApproval
from modelwarden.daemon.redaction import Redactor
from modelwarden.daemon.replay import Replay
from modelwarden.daemon.rules.unapproved_model import RULE
from modelwarden.daemon.snapshot import Document
from modelwarden.probes.event import Event

KEY = b"key"
PERSON, PLACE = "zqperson", "zq7place"
_HIDDEN = (
    "{0}", "/{0}/x", "/home/{0}/a.gguf", "/usr/bin/{0}", "…/x/{0}.bin", "{0}.py", "../{0}", ".{0}", "python-{0}",
    "--opt={0}", "--opt=/srv/{0}", "-p{0}", "--{0}", "{0}=1", "{0}@1000.service", "{0}-00001-of-00003.safetensors",
    "a sentence of {0}, with /x/{0}.", "{0} {0}", "https://{0}:x@{0}.example:80/{0}?q={0}", "x:{0}", "{0}:8080",
    "\udcff{0}", "{0}\n{0}", "model:/{0}/x", "sha256-{0}", "5e5e{0}", "\t{0}",
)  # fmt: skip
_CLAIMED = ("{0}", "{0}-llama", "org/{0}", "/home/{0}/x", "x {0}", "model {0}GPT")
_CLAIMS = {
    *((owner, "name") for owner in ("Identity", "Source", "ModelApproval")),
    *(("Identity", name) for name in ("architecture", "quantization", "license", "tensor_types")),
    *(("Source", name) for name in ("repository", "revision", "file", "license")),
    ("ModelApproval", "origin"),
}
"""What models say of themselves, and policies of models: only people are taken out."""


def planted(owner: str, name: str) -> st.SearchStrategy[str]:
    """Texts with a secret in them, in each way in which it may stand in a text."""
    if (owner, name) in _CLAIMS:
        return st.sampled_from([form.format(one) for form in _CLAIMED for one in (PERSON, PERSON.upper())])
    return st.sampled_from([form.format(one) for form in _HIDDEN for one in (PERSON, PLACE, PLACE.upper())])


@pytest.mark.parametrize("kind", sorted(kinds()))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_secret_survives(kind: str, data: st.DataObject) -> None:
    """In no field of any event, whoever added it: what nobody knows is replaced."""
    event = data.draw(made_up.event(kinds()[kind], planted))
    line = encode(Redactor(KEY, [PERSON]).redact(event)).decode().lower()

    assert PERSON not in line
    assert PLACE not in line


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made_up.events())
def test_every_event_stays_one_of_its_kind(event: Event) -> None:
    """The same, each time, with the same numbers, and a journal can hold it."""
    found = Redactor(KEY).redact(event)
    assert type(found) is type(event)
    assert encode(found) == encode(Redactor(KEY).redact(event))
    assert found.at == event.at


@given(made_up.ANY_TEXT, made_up.ANY_TEXT)
def test_others_are_others(one: str, other: str) -> None:
    """Two files stay two files."""
    redactor = Redactor(KEY)
    paths = [redactor.redact(opened(f"/m/{text}.gguf")).path for text in (one, other)]
    assert (paths[0] == paths[1]) == (one == other)


def test_a_person_is_known_from_what_an_event_says() -> None:
    """Given a name, then it is taken out of what models are called."""
    redactor = Redactor(KEY)
    name = redactor.redact(user_named(name="alice")).name
    identity = redactor.redact(is_model(what=Identity("gguf", name="Alice-Llama"))).identity
    assert name is not None
    assert identity is not None
    assert re.fullmatch("p[0-9a-f]{8}-Llama", identity.name or "")


def test_who_is_learned_of_is_known_from_the_beginning() -> None:
    """Given a copy, which is read twice, then a name that comes last is replaced in what comes first."""
    redactor = Redactor(KEY)
    redactor.learn(opened("/home/alice/x.gguf"))
    assert "alice" not in repr(redactor.redact(is_model(what=Identity("gguf", name="alice-llama"))))


def test_without_a_key_nobody_can_tell() -> None:
    """Two journals have nothing in common."""
    assert Redactor().redact(started()) != Redactor().redact(started())


def test_a_format_is_no_person() -> None:
    """Given somebody called as a format, then identification stays what it was."""
    redactor = Redactor(KEY, ["gguf", "unapproved_model"])
    identity = redactor.redact(is_model()).identity
    assert identity is not None
    assert identity.format == "gguf"


# ---- the same is found -----------------------------------------------------------------------------------

FIRST: tuple[Event, ...] = (
    started("h-1"),
    remembered(),
    policy_loaded(ModelApproval(name="dana-approved*", owner="dana", reason="she asked")),
    process_found(50, "/usr/bin/bash", ("bash",)),
    process_found(51, "/usr/bin/python3.11", ("python3", "/home/dana/notes/quokka.py"), parent_pid=50),
    file_found("/home/dana/models/old.gguf", 51),
    resynced(),
    user_named(name="dana"),
    is_model("/home/dana/models/old.gguf"),
    executed(60, "/usr/bin/python3.11", ("python3", "/home/dana/notes/other.py")),
    opened("/home/dana/models/new.safetensors", 60),
    is_model("/home/dana/models/new.safetensors", Identity("safetensors", name="acme")),
    executed(61, "/usr/bin/python3.11", ("python3", "-c", "load()")),
    opened("/home/dana/models/new.safetensors", 61),
    opened("/home/dana/models/a.gguf", 61),
    is_model("/home/dana/models/a.gguf", Identity("gguf", name="dana-approved-7b")),
    executed(62, "/opt/acme/server", ("server", "--model", "/home/dana/models/old.gguf")),
    opened("/home/dana/models/old.gguf", 62),
    tick(NOW + SECOND),
    exited(62, at=NOW + 2 * SECOND),
    Stopping(NOW + 3 * SECOND),
)


def thought(*events: Event) -> Replay:
    """What they give."""
    done = Replay(Core([RULE]))
    for event in events:
        done.hear(event)
    assert done.failed == 0
    return done


def redacted_copy(events: Iterable[Event]) -> list[Event]:
    """As a journal is copied: read twice."""
    redactor, events = Redactor(KEY), list(events)
    for event in events:
        redactor.learn(event)
    return [redactor.redact(event) for event in events]


def outline(done: Replay) -> dict[str, Any]:
    """All but the names."""
    census = done.census()
    return {
        "models": sorted((one["format"], one["opens"], one["size"], one["first_seen"]) for one in census["models"]),
        "workloads": sorted(
            (one["uid"], len(one["models"]), len(one["processes"]), one["first_seen"], one["running"])
            for one in census["workloads"]
        ),
        "alerts": Counter((one["rule"], one["severity"], one["count"]) for one in done.alerts()),
        "scripts": len({one["id"] for one in census["workloads"]}),
    }


def test_the_same_is_found_in_a_redacted_journal() -> None:
    """The same workloads, models and alerts, by other names."""
    plain, redacted = thought(*FIRST), thought(*redacted_copy(FIRST))

    assert len(plain.alerts()) > 3
    assert outline(redacted) == outline(plain)
    said = repr([redacted.alerts(), redacted.census()])
    assert "dana" not in said
    assert "quokka" not in said


def test_what_was_remembered_is_recognised_again() -> None:
    """Given a journal of a second run, then its workloads and alerts go on where the first ones stopped."""
    first = thought(*FIRST)
    census: Document = first.census()
    keyed = [(f"{DEVICE}:{inode_of(one['path'])}", one) for one in census["models"]]
    second = (
        FIRST[0],
        remembered(keyed, census["workloads"], first.alerts(), at=NOW + 10 * SECOND),
        *FIRST[2:-1],
        tick(NOW + 20 * SECOND),
        Stopping(NOW + 30 * SECOND),
    )
    plain, redacted = thought(*second), thought(*redacted_copy(second))

    assert max(one["count"] for one in plain.alerts()) > max(one["count"] for one in first.alerts())
    assert outline(redacted) == outline(plain)
