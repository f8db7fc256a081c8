"""What each event does to all that is known."""

import os

import pytest
from tests.conversation import Conversation
from tests.kit import (
    MODEL,
    NOW,
    NOW_WALL,
    PID,
    SECOND,
    START,
    UID,
    counted,
    executed,
    exited,
    file,
    forked,
    is_model,
    is_no_model,
    not_read,
    of,
    opened,
    tick,
)

from modelwarden.daemon.command import InspectFile, RememberFile, WatchProcess
from modelwarden.daemon.event import Inspection
from modelwarden.daemon.model.files import WAITING_MAX, Standing
from modelwarden.daemon.model.weights import ASK_AGAIN_NS, WATCHED_MIN_BYTES
from modelwarden.probes.candidate import Candidate
from modelwarden.probes.event import Event

WEAK = "/m/a.bin"
LARGE_ONE = "/m/blob"
REWRITTEN = file(mtime_ns=2, ctime_ns=2)


@pytest.fixture
def talk() -> Conversation:
    """A core that knows one program, and no rules."""
    talk = Conversation()
    talk.tell(executed())
    return talk


def test_candidate_is_asked_about(talk: Conversation) -> None:
    """Given a candidate, then the inspector is asked for that very state, through the process that opened it."""
    (asked,) = of(InspectFile, talk.tell(opened()))
    assert (asked.file, asked.path, asked.pids[0]) == (file(), MODEL, PID)
    assert talk.model().standing is Standing.PENDING
    assert talk.world.workloads.all() == []


def test_model_makes_a_workload(talk: Conversation) -> None:
    """Given the answer that it is a model, then its opener is a workload that says why, watched and remembered."""
    talk.tell(opened())
    answers = talk.tell(is_model())
    assert talk.workload.why == ["weights read: tiny"]
    assert (talk.workload.exe, talk.workload.uid, talk.workload.running) == ("/usr/bin/llama", UID, True)
    assert of(WatchProcess, answers) == [WatchProcess(PID, START, watched=True)]
    assert of(RememberFile, answers) == [RememberFile(file(), is_model=True)]
    assert list(talk.workload.models.values()) == [talk.model()]


def test_known_model_is_not_asked_about_again(talk: Conversation) -> None:
    """Given a known model, then a second open is counted and nothing is ordered."""
    talk.use()
    assert talk.tell(opened(at=NOW + 999 * SECOND)) == []
    assert talk.model().opens == 2
    assert talk.world.opens == {"gguf": 2}
    assert talk.model().last_seen_ns == NOW_WALL + 999 * SECOND


def test_one_inspection_for_many_opens(talk: Conversation) -> None:
    """Given opens that wait, then one inspection answers all, and each is attributed to its process."""
    talk.tell(executed(PID + 1, "/usr/bin/other"))
    talk.tell(opened(), opened(), opened(pid=PID + 1), counted(5, pid=PID + 1))
    assert len(of(InspectFile, talk.commands)) == 1
    talk.tell(is_model())
    assert talk.model().opens == 8
    assert {one.exe for one in talk.world.workloads.all()} == {"/usr/bin/llama", "/usr/bin/other"}
    talk.tell(is_model())
    assert talk.model().opens == 8


def test_waiting_processes_are_bounded(talk: Conversation) -> None:
    """Given more processes than may wait, then the opens of the others are still counted."""
    for pid in range(1000, 1000 + WAITING_MAX + 7):
        talk.tell(opened(pid=pid))
    assert len(talk.model().waiting) == WAITING_MAX
    talk.tell(is_model())
    assert talk.model().opens == WAITING_MAX + 7


def test_counted_opens_are_added_exactly(talk: Conversation) -> None:
    """Given repetitions that the kernel counted, then the sum is the number of opens."""
    talk.use()
    talk.tell(counted(3), counted(4))
    assert talk.model().opens == 8


@pytest.mark.parametrize(
    "event",
    [
        counted(3, access=os.O_WRONLY),
        counted(3, path="/m/unknown.gguf"),
        counted(3, pid=PID + 9),
        counted(3, start_ns=START + SECOND),
        counted(3, identity=file(ctime_ns=77)),
    ],
    ids=["written", "unknown file", "unknown process", "another process", "another state"],
)
def test_counted_opens_of_others_are_not_added(talk: Conversation, event: Event) -> None:
    """Repetitions count for their file in their state, their process and for reading only."""
    talk.use()
    talk.tell(event)
    assert talk.model().opens == 1


def test_no_model_is_forgotten_and_silent(talk: Conversation) -> None:
    """Given a strong suffix on something else, then the mark of its opener is cleared and the kernel told."""
    talk.tell(opened())
    answers = talk.tell(is_no_model())
    assert of(RememberFile, answers) == [RememberFile(file(), is_model=False)]
    assert of(WatchProcess, answers) == [WatchProcess(PID, START, watched=False)]
    assert not talk.knows()
    assert talk.tell(opened()) == [RememberFile(file(), is_model=False)]


def test_mark_is_cleared_only_where_one_was_made(talk: Conversation) -> None:
    """A merely large file marked nobody, and a process of a workload or one that is gone keeps what it has."""
    talk.tell(opened(LARGE_ONE))
    assert of(WatchProcess, talk.tell(is_no_model(LARGE_ONE))) == []
    talk.use()
    talk.tell(opened("/m/b.gguf"), opened("/m/b.gguf", pid=PID + 1), exited(PID + 1))
    assert of(WatchProcess, talk.tell(is_no_model("/m/b.gguf"))) == []


@pytest.mark.parametrize("outcome", [Inspection.GONE, Inspection.CHANGED, Inspection.UNREADABLE])
def test_strong_suffix_stands_with_a_reason(talk: Conversation, outcome: Inspection) -> None:
    """Given a file called like a model that nobody could read, then it is in the census with a reason."""
    talk.tell(opened())
    answers = talk.tell(not_read(outcome=outcome, reason="why not"))
    entry = talk.model()
    assert (entry.standing, entry.identity, entry.reason, entry.opens) == (Standing.UNKNOWN, None, "why not", 1)
    assert talk.workload.why == [f"weights read: {MODEL}"]
    assert of(RememberFile, answers) == []
    assert talk.world.opens == {"unknown": 1}


def test_weak_sign_alone_does_not_stand(talk: Conversation) -> None:
    """Given a large file that nobody could read, then it was nothing."""
    talk.tell(opened(WEAK))
    talk.tell(not_read(WEAK))
    assert not talk.knows(WEAK)
    assert talk.world.workloads.all() == []


def test_what_could_not_be_read_is_asked_about_later(talk: Conversation) -> None:
    """An open asks again, but not before its time; the answer takes the reason away."""
    talk.tell(opened(), not_read())
    assert of(InspectFile, talk.tell(opened(at=NOW + ASK_AGAIN_NS - 1))) == []
    assert len(of(InspectFile, talk.tell(opened(at=NOW + ASK_AGAIN_NS)))) == 1
    talk.world.changed_models.clear()
    talk.world.changed_workloads.clear()
    talk.tell(is_model())
    assert (talk.model().standing, talk.model().reason, talk.model().opens) == (Standing.MODEL, None, 3)
    assert list(talk.world.changed_models.values()) == [talk.model()]
    assert talk.world.changed_workloads == {talk.workload.id}


def test_rewritten_model_is_asked_about_again(talk: Conversation) -> None:
    """Given new content at the same path, then it is inspected again and goes on counting."""
    talk.use()
    (asked,) = of(InspectFile, talk.tell(opened(identity=REWRITTEN)))
    assert asked.file == REWRITTEN
    assert talk.model().standing is Standing.PENDING
    assert talk.tell(is_model()) == [RememberFile(file(), is_model=True)]
    assert talk.model().standing is Standing.PENDING
    talk.tell(is_model(which=REWRITTEN))
    assert (talk.model().opens, talk.model().first_seen_ns) == (2, NOW_WALL)


def test_renamed_model_has_both_paths(talk: Conversation) -> None:
    """Given a rename, which changes ctime only, then it is one model with two paths, the latest first in place."""
    talk.use()
    renamed = file(ctime_ns=2)
    talk.tell(opened("/m/b.gguf", identity=renamed), is_model(which=renamed))
    assert (talk.model().path, talk.model().paths, talk.model().opens) == ("/m/b.gguf", [MODEL, "/m/b.gguf"], 2)


def test_other_file_under_the_same_number_is_another_model(talk: Conversation) -> None:
    """Given a number that was given to another file, then nothing of the first is said of it."""
    talk.use()
    other = file(size=file().size + 1, mtime_ns=9, ctime_ns=9)
    talk.tell(opened("/m/b.gguf", at=NOW + SECOND, identity=other), is_model(which=other))
    entry = talk.model()
    assert (entry.paths, entry.opens, entry.first_seen_ns) == (["/m/b.gguf"], 1, NOW_WALL + SECOND)


def test_writing_is_no_use(talk: Conversation) -> None:
    """A download reads nothing: write-only opens are not even looked into."""
    assert talk.tell(opened(flags=os.O_WRONLY | os.O_CREAT)) == []
    assert not talk.knows()
    assert len(of(InspectFile, talk.tell(opened(flags=os.O_RDWR)))) == 1


def test_small_unnamed_files_of_watched_processes_are_ignored(talk: Conversation) -> None:
    """What a watched process opens is looked into from a megabyte on, or when the file itself is special."""
    watched = int(Candidate.WATCHED)
    assert talk.tell(opened("/etc/x", identity=file("/etc/x", size=WATCHED_MIN_BYTES - 1), reasons=watched)) == []
    large = file("/etc/y", size=WATCHED_MIN_BYTES)
    assert len(of(InspectFile, talk.tell(opened("/etc/y", identity=large, reasons=watched)))) == 1
    named = file(WEAK, size=64)
    reasons = watched | int(Candidate.WEAK_SUFFIX)
    assert len(of(InspectFile, talk.tell(opened(WEAK, identity=named, reasons=reasons)))) == 1


def test_inspector_looks_through_living_relatives_of_the_same_namespace(talk: Conversation) -> None:
    """The opener first, then its ancestors, but nobody who ended or has another view of the file system."""
    talk.tell(forked(PID, 201), forked(201, 202), forked(202, 203), exited(201))
    (asked,) = of(InspectFile, talk.tell(opened(pid=203)))
    assert asked.pids == (203, 202, PID)
    (asked,) = of(InspectFile, talk.tell(opened("/m/b.gguf", pid=203, mount_ns=1)))
    assert asked.pids == (203,)


def test_path_that_was_cut_says_so(talk: Conversation) -> None:
    """A path whose beginning is missing is not taken for an absolute one."""
    talk.tell(opened(path_cut=1))
    assert talk.model().path == f"…{MODEL}"


def test_process_that_is_gone_still_gets_its_workload(talk: Conversation) -> None:
    """Given a process that ended before the answer, then its workload is there, ended, and nobody is watched."""
    talk.tell(opened(), exited(at=NOW + SECOND), tick(NOW + 120 * SECOND))
    answers = talk.tell(is_model(at=NOW + 121 * SECOND))
    assert (talk.workload.running, [one.pid for one in talk.workload.ended.values()]) == (False, [PID])
    assert of(WatchProcess, answers) == []


def test_fork_passes_the_workload_on(talk: Conversation) -> None:
    """Given a workload, then the children of its process belong to it and keep it running."""
    talk.use()
    talk.tell(forked(PID, 201), executed(201, "/bin/sh"), exited(PID))
    assert (talk.workload.running, set(talk.workload.living)) == (True, {talk.process(201).key})
    talk.tell(exited(201))
    assert not talk.workload.running


def test_ancestors_workload_is_joined(talk: Conversation) -> None:
    """Given a child from before the model was read, then its own reading belongs to its ancestor's workload."""
    talk.tell(forked(PID, 201), executed(201, "/usr/bin/worker", parent_pid=PID))
    talk.use()
    assert talk.process(201).workload is None
    answers = talk.tell(opened(pid=201))
    assert len(talk.workload.living) == 2
    assert of(WatchProcess, answers) == [WatchProcess(201, START, watched=True)]


def test_reused_number_is_another_process(talk: Conversation) -> None:
    """Given a number that was given to another process, then it has nothing of the first."""
    talk.use()
    talk.tell(exited(), executed(PID, "/usr/bin/vim", start_ns=START + SECOND))
    assert talk.process(PID, START + SECOND).workload is None
    talk.tell(exited(PID, start_ns=START))
    assert talk.process(PID, START + SECOND).ended_at is None
