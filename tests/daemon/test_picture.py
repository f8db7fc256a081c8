"""The snapshot that exporters read."""

from tests.conversation import Conversation
from tests.kit import MODEL, NOW, NOW_WALL, SECOND, executed, lost, policy_loaded, resynced

from modelwarden.daemon.census import Census
from modelwarden.daemon.event import ProbesProven
from modelwarden.daemon.picture import Workings, picture
from modelwarden.daemon.rules.unapproved_model import RULE
from modelwarden.daemon.snapshot import ProbeStatus, Snapshot
from modelwarden.probes.inbox import CAPACITY
from modelwarden.probes.kernel_side import ProbeState
from modelwarden.probes.probe import HookKind

ON = ProbeState("exec", HookKind.RAW_TRACEPOINT)
FORK = ProbeState("fork", HookKind.RAW_TRACEPOINT)
OFF = ProbeState("file_open", None, "the kernel refused it", "see the kernel log")


def drawn(talk: Conversation, *states: ProbeState, workings: Workings | None = None) -> Snapshot:
    """The picture of a core."""
    census = Census()
    census.update(talk.world, NOW)
    return picture(NOW, talk.core, census, states, workings or Workings())


def a_story() -> Conversation:
    """A core that has raised an alert."""
    talk = Conversation(RULE)
    talk.tell(resynced(), executed(), policy_loaded(digest="ab"), lost(3))
    talk.use()
    return talk


def test_everything_is_in_the_picture() -> None:
    """Given a story, then the snapshot has its documents and every counter."""
    workings = Workings(1.5, inbox_depth=2, inspections_dropped=3, rows_unwritten=4, kernel_refusals=5)
    workings.hashes_dropped, workings.hashes_forgotten = 6, 7
    snapshot = drawn(a_story(), ON, OFF, workings=workings)
    assert (snapshot.generated_at, snapshot.host_id) == ("2026-01-01T00:00:00.000000Z", "host")
    assert [one["path"] for one in snapshot.models] == [MODEL]
    assert [one["running"] for one in snapshot.workloads] == [True]
    assert snapshot.alerts == (("unapproved_model", "medium", 1),)
    assert snapshot.probes == (
        ProbeStatus("exec", "raw_tracepoint", None, None),
        ProbeStatus("file_open", None, "the kernel refused it", "see the kernel log"),
    )
    assert (snapshot.events["file_opened"], snapshot.events["events_lost"]) == (1, 1)
    assert (snapshot.lost, snapshot.opens) == ({("ring", "file_open"): 3}, {"gguf": 1})
    assert snapshot.evicted == {
        "processes": 0, "files": 0, "workloads": 0, "groups": 0, "hashes": 6, "stored_hashes": 7, "alerts": 0,
        "unwritten_rows": 4, "kernel_marks": 5,
    }  # fmt: skip
    assert snapshot.inspections == {"model": 1, "dropped": 3}
    assert (snapshot.inbox_depth, snapshot.inbox_capacity, snapshot.handled_seconds) == (2, CAPACITY, 1.5)
    assert snapshot.policy_digest == "ab"


def test_picture_does_not_change() -> None:
    """Given a picture that another thread reads, then what happens next is not in it."""
    talk = a_story()
    snapshot = drawn(talk, ON)
    before = repr(snapshot)
    talk.tell(lost(9), policy_loaded(digest="cd"))
    talk.use("/m/b.gguf")
    assert repr(snapshot) == before


def test_ready() -> None:
    """Ready is a daemon that has looked at the system once and whose probes are all attached."""
    talk = Conversation()
    assert not drawn(talk, ON).ready
    talk.tell(resynced())
    assert drawn(talk, ON).ready
    assert not drawn(talk, ON, OFF).ready


def test_a_blind_probe_is_not_ready() -> None:
    """Given self-tests, then each probe has what was found last, with its time; blindness ends being ready."""
    talk = Conversation()
    talk.tell(resynced(), ProbesProven(NOW, ("exec",), (), (("fork", "no folder"),)))
    before = drawn(talk, ON, FORK)
    talk.tell(ProbesProven(NOW + SECOND, (), ("exec",), (("fork", "no folder"),)))
    after = drawn(talk, ON, FORK)

    proven_at = NOW_WALL / SECOND
    assert [(one.name, one.proven, one.proven_at) for one in before.probes] == [
        ("exec", True, proven_at),
        ("fork", None, None),
    ]
    assert [(one.name, one.proven, one.proven_at) for one in after.probes] == [
        ("exec", False, proven_at),
        ("fork", None, None),
    ]
    assert (before.ready, after.ready) == (True, False)
