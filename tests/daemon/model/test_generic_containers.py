"""Arrays, pickles of plain objects: models in the hands of programs that do machine learning, and nothing otherwise."""

from dataclasses import replace

import pytest
from tests.conversation import Conversation
from tests.kit import PID, TINY, counted, executed, file, is_model, of, opened
from tests.runtimes import Library, Server

from modelwarden.daemon.command import InspectFile, RememberFile
from modelwarden.daemon.model.files import Standing
from modelwarden.probes.candidate import Candidate

ARRAY = "/m/data.npy"
GENERIC = replace(TINY, format="npy", name=None, generic=True)
LEARNER, OTHER = PID, PID + 1


@pytest.fixture
def talk() -> Conversation:
    """One program that has loaded torch, and one that has not."""
    talk = Conversation(runtimes=(Library(), Server()))
    talk.tell(executed(LEARNER, "/usr/bin/learner"), executed(OTHER, "/usr/bin/other"))
    talk.tell(opened("/usr/lib/libtorch_cpu.so", LEARNER, reasons=int(Candidate.LIBRARY)))
    return talk


def test_in_the_hands_of_a_learner_it_is_a_model(talk: Conversation) -> None:
    """The opener decides."""
    talk.use(ARRAY, LEARNER, what=GENERIC)

    assert talk.model(ARRAY).standing is Standing.MODEL
    assert talk.workload.runtime == "torch"


def test_in_other_hands_it_is_nothing(talk: Conversation) -> None:
    """No workload, no model, and no word to the kernel: the next opener may be a learner."""
    commands = talk.use(ARRAY, OTHER, what=GENERIC)

    assert not talk.knows(ARRAY)
    assert talk.world.workloads.all() == []
    assert of(RememberFile, commands) == []


def test_a_learner_that_comes_later_needs_no_new_inspection(talk: Conversation) -> None:
    """What the inspector said of this state is remembered."""
    talk.use(ARRAY, OTHER, what=GENERIC)

    commands = talk.tell(opened(ARRAY, LEARNER))

    assert of(InspectFile, commands) == []
    assert talk.model(ARRAY).standing is Standing.MODEL


def test_others_that_open_a_learners_array_are_no_workloads(talk: Conversation) -> None:
    """A copy or a backup of it is not machine learning."""
    talk.use(ARRAY, LEARNER, what=GENERIC)

    talk.tell(opened(ARRAY, OTHER), counted(3, ARRAY, OTHER))

    assert {one.pid for one in talk.workload.living.values()} == {LEARNER}
    assert talk.model(ARRAY).opens == 1


def test_both_wait_for_the_answer(talk: Conversation) -> None:
    """Given that both have opened it before the answer, then the learner's open counts."""
    talk.tell(opened(ARRAY, OTHER), opened(ARRAY, LEARNER), is_model(ARRAY, GENERIC))

    assert talk.model(ARRAY).opens == 1
    assert {one.pid for one in talk.workload.living.values()} == {LEARNER}


def test_another_state_is_looked_at_again(talk: Conversation) -> None:
    """What was an array may be a model now."""
    talk.use(ARRAY, OTHER, what=GENERIC)

    commands = talk.tell(opened(ARRAY, OTHER, identity=file(ARRAY, mtime_ns=2, ctime_ns=2)))

    assert len(of(InspectFile, commands)) == 1
