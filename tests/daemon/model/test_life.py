"""What looks at the running system, losses and users do to all that is known."""

import pytest
from tests.conversation import Conversation
from tests.kit import (
    MODEL,
    NOW,
    PID,
    SECOND,
    START,
    UID,
    executed,
    exited,
    file_found,
    forked,
    is_model,
    lost,
    of,
    opened,
    policy_loaded,
    process_found,
    resynced,
    tick,
    user_named,
)

from modelwarden.daemon.command import FindProcess, InspectFile, NameUser, Resync
from modelwarden.daemon.event import PolicyLoaded
from modelwarden.daemon.model.life import RESYNC_INTERVAL_NS, Life
from modelwarden.daemon.model.world import USERS_MAX
from modelwarden.probes.event import Event
from modelwarden.probes.sampled.procfs import NOBODY


@pytest.fixture
def talk() -> Conversation:
    """A core without rules."""
    return Conversation()


def test_what_was_there_before_us_is_a_workload(talk: Conversation) -> None:
    """Given a process that holds a model when we come, then it is a workload like any other."""
    talk.tell(process_found(), file_found(mapped=True), resynced())
    talk.tell(is_model())
    assert (talk.workload.exe, talk.workload.running, talk.model().opens) == ("/usr/bin/llama", True, 1)


def test_world_is_synced_by_the_first_look(talk: Conversation) -> None:
    """Only a complete look at the system makes the picture whole."""
    assert not talk.world.synced
    talk.tell(resynced())
    assert talk.world.synced


def test_held_for_writing_is_no_use(talk: Conversation) -> None:
    """A download that was under way reads nothing."""
    assert talk.tell(process_found(), file_found(writable=True)) == []


def test_held_file_was_counted_when_it_was_opened(talk: Conversation) -> None:
    """Given an open that was reported, then a later look at the system counts nothing again."""
    talk.tell(process_found(), opened(), file_found())
    talk.tell(is_model(), file_found())
    assert talk.model().opens == 1


def test_held_file_whose_open_was_lost_is_a_use(talk: Conversation) -> None:
    """Given a workload that holds another known model, then a look at the system tells what the loss hid."""
    talk.tell(executed(), executed(PID + 1, "/usr/bin/other"))
    talk.use("/m/a.gguf")
    talk.use("/m/b.gguf", pid=PID + 1)
    talk.tell(process_found(), file_found("/m/b.gguf"))
    mine = talk.world.workloads.get(talk.process().workload or "")
    assert mine is not None
    assert {one.path for one in mine.models.values()} == {"/m/a.gguf", "/m/b.gguf"}


def test_file_of_an_unknown_process_is_ignored(talk: Conversation) -> None:
    """A process that was not found cannot hold a file."""
    assert talk.tell(file_found()) == []


def test_same_process_from_kernel_and_procfs(talk: Conversation) -> None:
    """The kernel knows the start to the nanosecond, /proc to the tick of 10 ms: it is one process."""
    talk.tell(executed(start_ns=START + 9_999_999), process_found(start_ns=START))
    assert len(talk.world.processes) == 1
    talk.tell(process_found(start_ns=START + 10_000_000))
    assert len(talk.world.processes) == 2


def test_missing_processes_end(talk: Conversation) -> None:
    """Given a process that a complete look did not show, then its end was lost, and its workload ends."""
    talk.tell(executed(), executed(PID + 1, "/bin/other"))
    talk.use()
    later = NOW + 60 * SECOND
    talk.tell(process_found(PID + 1, at=later), forked(PID + 1, 300, child_start=later + 1))
    talk.tell(resynced(later))
    assert talk.process().ended_at == later
    assert not talk.workload.running
    assert talk.process(PID + 1).ended_at is None
    assert talk.process(300, later + 1).ended_at is None


def test_stranger_is_asked_about(talk: Conversation) -> None:
    """Given a process that appears without its beginning, then the system is asked once, and completes it."""
    assert of(FindProcess, talk.tell(opened())) == [FindProcess(PID)]
    assert of(FindProcess, talk.tell(opened())) == []
    talk.tell(process_found(arguments=("llama", "-m", "x")))
    assert (talk.process().path, talk.process().arguments) == ("/usr/bin/llama", ("llama", "-m", "x"))


def test_what_events_told_is_younger_than_procfs(talk: Conversation) -> None:
    """A look at /proc does not take back what an exec has told."""
    talk.tell(executed(path="/usr/bin/new"), process_found(path="/usr/bin/old"))
    assert talk.process().path == "/usr/bin/new"


def test_loss_is_counted_and_answered_by_one_look(talk: Conversation) -> None:
    """Given many losses, then every record is counted and one look is ordered, at the next tick."""
    assert talk.tell(lost(3), lost(4), lost(1, "inbox", "exec")) == []
    assert talk.world.lost == {("ring", "file_open"): 7, ("inbox", "exec"): 1}
    assert len(of(Resync, talk.tell(tick(), tick(NOW + SECOND)))) == 1


def test_looks_keep_their_distance(talk: Conversation) -> None:
    """Given losses all the time, then there is exactly one look in each interval."""
    step = SECOND
    intervals = 4
    for at in range(NOW, NOW + intervals * (RESYNC_INTERVAL_NS + step), step):
        talk.tell(lost(at=at), tick(at))
    assert len(of(Resync, talk.commands)) == intervals


def test_without_loss_there_is_no_look(talk: Conversation) -> None:
    """Time alone orders nothing."""
    assert talk.tell(*(tick(NOW + second * SECOND) for second in range(100))) == []


def test_users_are_asked_about_once() -> None:
    """Given many files of two users, then each name is asked for once, and nobody's never."""
    talk = Conversation(named=False)
    talk.tell(opened(login_uid=7), opened("/m/b.gguf", login_uid=7), opened("/m/c.gguf", login_uid=NOBODY))
    talk.answer_inspections()
    assert sorted(one.uid for one in of(NameUser, talk.commands)) == [7, UID]
    talk.tell(user_named())
    assert talk.world.users == {UID: "alice", 7: None}


def test_users_are_bounded() -> None:
    """However many numbers there are, the table stays within its limit, and the rest are shown as numbers."""
    talk = Conversation(named=False)
    for uid in range(USERS_MAX + 10):
        talk.tell(opened(f"/m/{uid}.gguf", pid=uid + 1, uid=uid, login_uid=NOBODY))
    assert len(talk.world.users) == USERS_MAX
    assert len(of(NameUser, talk.commands)) == USERS_MAX


def test_name_changes_what_is_shown(talk: Conversation) -> None:
    """Given the name of a user, then the workloads of that user are to be written again, no others."""
    talk.tell(executed(), executed(PID + 1, uid=5))
    talk.use()
    mine = talk.workload.id
    talk.use(pid=PID + 1)
    talk.world.changed_workloads.clear()
    talk.tell(user_named())
    assert talk.world.changed_workloads == {mine}


def test_wall_clock_follows_the_ticks(talk: Conversation) -> None:
    """Given a clock that was set, then what happens next has the new time."""
    talk.tell(executed(), tick(wall_offset_ns=1_000))
    assert talk.world.wall_ns(5) == 1_005


def test_policy_is_asked_about_what_runs_only(talk: Conversation) -> None:
    """Given workloads of which one has ended, then a change of policy is a matter of the other."""
    talk.tell(executed(), executed(PID + 1, "/usr/bin/other"))
    talk.use()
    talk.use("/m/b.gguf", pid=PID + 1)
    talk.tell(exited())
    uses, _ = Life(talk.world).handlers()[PolicyLoaded](policy_loaded()) or ([], [])
    assert [(one.model.path, one.count, one.first) for one in uses] == [("/m/b.gguf", 0, False)]


def test_unknown_event_is_our_mistake(talk: Conversation) -> None:
    """An event without a handler is never passed over in silence."""
    with pytest.raises(TypeError, match="Event"):
        talk.tell(Event(NOW))


def test_retired_model_keeps_nobody_running(talk: Conversation) -> None:
    """Given an exit, then the workload ends at that time, with the model that it read."""
    talk.tell(executed())
    talk.use()
    talk.tell(exited(at=NOW + 5 * SECOND))
    assert talk.workload.last_seen_ns == talk.world.wall_ns(NOW + 5 * SECOND)
    assert [one.path for one in talk.workload.models.values()] == [MODEL]
    assert of(InspectFile, talk.tell(exited(at=NOW + 6 * SECOND))) == []
    assert talk.workload.last_seen_ns == talk.world.wall_ns(NOW + 5 * SECOND)
