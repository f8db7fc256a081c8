"""What the core makes of a self-test: which probes are blind, told once."""

from tests.conversation import Conversation
from tests.kit import NOW, SECOND, of

from modelwarden.daemon.command import Announce
from modelwarden.daemon.event import ProbesProven
from modelwarden.daemon.model.sight import BLIND_NEXT_STEP


def found(*proven: str, blind: tuple[str, ...] = (), untried: tuple[str, ...] = (), at: int = NOW) -> ProbesProven:
    """The result of a round; what was not tried has no folder."""
    return ProbesProven(at, proven, blind, tuple((name, "no folder") for name in untried))


def told(talk: Conversation, *events: ProbesProven) -> list[tuple[str, dict[str, object]]]:
    """What is announced on hearing this."""
    return [(one.message, dict(one.fields)) for one in of(Announce, talk.tell(*events))]


def test_what_is_proven_is_known_without_a_word() -> None:
    """Given probes that see, then when that was is kept, and nobody is told."""
    talk = Conversation()
    assert told(talk, found("exec", "fork"), found("exec", at=NOW + SECOND)) == []
    assert talk.world.proven == {"exec": NOW + SECOND, "fork": NOW}
    assert (talk.world.blind, talk.world.untried) == ({}, {})


def test_blindness_is_told_once() -> None:
    """Given a probe that is blind in two rounds, then it is told with the next step, once, and since when is kept."""
    talk = Conversation()
    said = ("probe_blind", {"probe": "exec", "next_step": BLIND_NEXT_STEP})
    assert told(talk, found("fork", blind=("exec",))) == [said]
    assert told(talk, found("fork", blind=("exec",), at=NOW + SECOND)) == []
    assert talk.world.blind == {"exec": NOW}


def test_seeing_again_is_told() -> None:
    """Given a blind probe that sees again, then it is told how long it was blind; the next time is news again."""
    talk = Conversation()
    talk.tell(found(blind=("exec",)))
    assert told(talk, found("exec", at=NOW + 90 * SECOND)) == [
        ("probe_sees_again", {"probe": "exec", "blind_seconds": 90})
    ]
    assert (talk.world.blind, talk.world.proven) == ({}, {"exec": NOW + 90 * SECOND})
    assert [message for message, _ in told(talk, found(blind=("exec",)))] == ["probe_blind"]


def test_not_tried_changes_nothing() -> None:
    """Given rounds that could not try a blind and a proven probe, then one stays blind, the other proven; told once."""
    talk = Conversation()
    talk.tell(found("fork", blind=("exec",)))
    assert told(talk, found(untried=("exec", "fork"), at=NOW + SECOND)) == [
        ("probe_not_tried", {"probe": "exec", "reason": "no folder"}),
        ("probe_not_tried", {"probe": "fork", "reason": "no folder"}),
    ]
    assert told(talk, found(untried=("exec", "fork"), at=NOW + 2 * SECOND)) == []
    assert (talk.world.blind, talk.world.proven) == ({"exec": NOW}, {"fork": NOW})
    assert talk.world.untried == {"exec": "no folder", "fork": "no folder"}
    talk.tell(found("fork", "exec"))
    assert talk.world.untried == {}
