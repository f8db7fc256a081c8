"""Models that a process maps without having opened them."""

import pytest
from tests.conversation import Conversation
from tests.kit import MODEL, PID, START, executed, file, is_model, mapped, of

from modelwarden.daemon.command import InspectFile, WatchProcess
from modelwarden.probes.candidate import Candidate


@pytest.fixture
def talk() -> Conversation:
    """A core that knows one program, and no rules."""
    talk = Conversation()
    talk.tell(executed())
    return talk


def test_mapping_of_a_passed_descriptor_is_a_use(talk: Conversation) -> None:
    """Given a process that maps what it has not opened, then it uses the model, and no open is counted for it."""
    talk.use()
    talk.tell(executed(pid=PID + 1, path="/usr/bin/other"))
    answers = talk.tell(mapped(pid=PID + 1))
    users = {process.pid for one in talk.core.world.workloads.all() for process in one.living.values()}
    assert users == {PID, PID + 1}
    assert talk.model().opens == 1
    assert of(WatchProcess, answers) == [WatchProcess(PID + 1, START, watched=True)]


def test_mapping_by_who_has_read_it_says_nothing(talk: Conversation) -> None:
    """Given a process that has opened the model, when it maps it, then nothing is added."""
    talk.use()
    assert talk.tell(mapped()) == []
    assert (len(talk.core.world.workloads.all()), talk.model().opens) == (1, 1)


def test_mapping_of_a_stranger_to_the_core_is_asked_about(talk: Conversation) -> None:
    """Given a mapping of a file that nobody was seen opening, then it is inspected and counted as one open."""
    assert [one.path for one in of(InspectFile, talk.tell(mapped()))] == [MODEL]
    talk.tell(is_model())
    assert talk.model().opens == 1


def test_small_unnamed_mapping_of_a_watched_process_is_ignored(talk: Conversation) -> None:
    """Given a mapping that is reported for its process only, then it is no candidate."""
    small = file("/m/notes", size=4096)
    assert talk.tell(mapped("/m/notes", identity=small, reasons=int(Candidate.WATCHED))) == []
