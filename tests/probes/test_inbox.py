"""The bounded queue in front of the core."""

from hypothesis import given
from hypothesis import strategies as st
from tests.kit import NOW, counted, executed, exited, forked, opened, tick

from modelwarden.probes.event import Event, EventsLost
from modelwarden.probes.inbox import BULK_SHARE, Inbox
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.sampled.opens import OpensCounted


def test_first_in_first_out() -> None:
    """Events leave in the order in which they came, so many at a time."""
    inbox = Inbox()
    inbox.put([forked(), executed()])
    inbox.put([opened()])
    assert len(inbox) == 3
    assert inbox.take(2) == [forked(), executed()]
    assert inbox.take(2) == [opened()]
    assert inbox.take(2) == []


def test_bulk_leaves_room_for_the_life_of_processes() -> None:
    """Given a flood of opens, then exits still find room, and every drop is counted by probe."""
    inbox = Inbox(capacity=8)
    inbox.put([opened()] * 10)
    inbox.put([counted(1)])
    inbox.put([exited()] * 4)
    assert len(inbox) == 8
    assert inbox.losses(NOW) == [EventsLost(NOW, "inbox", "exit", 2), EventsLost(NOW, "inbox", "file_open", 5)]
    assert inbox.losses(NOW) == []


@given(
    st.integers(4, 40),
    st.lists(st.integers(1, 9) | st.sampled_from([opened(), counted(1), executed(), exited(), tick()]), max_size=120),
)
def test_nothing_vanishes(capacity: int, story: list[int | Event]) -> None:
    """Whatever comes and goes, what was taken and what was lost is what came, in order and within the capacity."""
    inbox, came, taken, lost = Inbox(capacity), list[Event](), list[Event](), 0
    for step in story:
        if isinstance(step, int):
            taken += inbox.take(step)
            continue
        before = len(inbox)
        inbox.put([step])
        is_bulk = isinstance(step, FileOpened | OpensCounted)
        has_room = before < (int(capacity * BULK_SHARE) if is_bulk else capacity)
        assert len(inbox) == before + has_room
        came += [step] * has_room
        lost += not has_room
        assert len(inbox) <= capacity
    assert [*taken, *inbox.take(capacity)] == came
    assert sum(one.count for one in inbox.losses(NOW)) == lost


def test_what_could_not_be_thought_about_is_lost_in_the_core() -> None:
    """A mistake of ours is counted like any other loss, so that it is looked for."""
    inbox = Inbox()
    inbox.failed(opened())
    inbox.failed(tick())
    assert inbox.losses(NOW) == [EventsLost(NOW, "core", "file_open", 1), EventsLost(NOW, "core", "sampled", 1)]
