"""What must be counted exactly, and told in time, at the seams: renames, restarts, reloads, the end."""

import os
from dataclasses import replace

from tests.conversation import Conversation
from tests.kit import (
    MODEL,
    NOW,
    PID,
    SECOND,
    START,
    TINY,
    counted,
    executed,
    exited,
    file,
    file_found,
    forked,
    is_model,
    not_read,
    of,
    opened,
    policy_loaded,
    process_found,
    remembered,
    tick,
)

from modelwarden.daemon.command import Announce, FindProcess, InspectFile, Raise
from modelwarden.daemon.documents import model_document
from modelwarden.daemon.event import Inspection, Stopping
from modelwarden.daemon.model.processes import Processes
from modelwarden.daemon.policy import ModelApproval
from modelwarden.daemon.rules.unapproved_model import UnapprovedModel


def judged() -> Conversation:
    """A core with the rule, and a policy under which the model of the kit is not approved."""
    talk = Conversation(UnapprovedModel())
    talk.tell(policy_loaded(ModelApproval(name="other")), executed())
    return talk


def test_repetitions_of_a_renamed_file_count() -> None:
    """Given opens that the kernel counted before a rename, then they belong to the file that was renamed."""
    talk = Conversation()
    talk.tell(executed())
    talk.use()
    before = talk.model().file
    renamed = file(ctime_ns=before.ctime_ns + 5)
    talk.tell(replace(opened("/m/b.gguf"), inode=before.inode, ctime_ns=before.ctime_ns + 5), is_model(which=renamed))
    talk.tell(counted(count=7))
    assert talk.model().opens == 9


def test_a_reloaded_policy_adds_nothing_to_a_standing_alert() -> None:
    """Given an alert, then judging the same use again is no further open."""
    talk = judged()
    talk.use()
    talk.tell(policy_loaded(ModelApproval(name="another")), tick(NOW + 9 * SECOND))
    assert [one.alert.count for one in of(Raise, talk.commands)] == [1, 1]


def test_an_alert_of_a_use_that_began_before_the_policy_counts_one() -> None:
    """Given a model in use when a policy comes that does not approve it, then there is one alert, counted once."""
    talk = Conversation(UnapprovedModel())
    talk.tell(executed())
    talk.use()
    assert [one.alert.count for one in of(Raise, talk.tell(policy_loaded(ModelApproval(name="x"))))] == [1]


def test_growth_is_told_before_the_end() -> None:
    """Given an alert that grew a moment ago, then stopping tells it."""
    talk = judged()
    talk.use()
    talk.tell(opened(at=NOW + 1))
    assert [one.alert.count for one in of(Raise, talk.tell(Stopping(NOW + 2)))] == [2]
    assert of(Raise, talk.tell(Stopping(NOW + 3))) == []


def test_what_is_held_over_a_restart_is_no_new_open() -> None:
    """Given a model that an earlier run counted and a process holds still, then the count goes on unchanged."""
    first = Conversation()
    first.tell(executed())
    first.use()
    document = model_document(first.model())
    key = f"{first.model().file.device}:{first.model().file.inode}"

    second = Conversation()
    second.tell(remembered(models=((key, document),)), process_found(), file_found(), is_model())
    assert second.model().opens == 1
    second.tell(opened(at=NOW + 1))
    assert second.model().opens == 2


def test_what_is_held_when_nobody_had_seen_it_is_an_open() -> None:
    """Given a model that is held and was never counted, then it was opened once."""
    talk = Conversation()
    talk.tell(process_found(), file_found(), is_model())
    assert talk.model().opens == 1


def test_a_stranger_gets_its_name_when_it_is_known() -> None:
    """Given a process of which no event told, then its workload is called by what /proc says."""
    talk = Conversation()
    talk.use()
    assert talk.workload.exe is None
    talk.tell(process_found(path="/usr/bin/server"))
    assert talk.workload.exe == "/usr/bin/server"


def test_strangers_are_not_taken_for_each_other() -> None:
    """Given two unknown processes of one user, then they are two workloads."""
    talk = Conversation()
    talk.use(pid=PID)
    talk.use(pid=PID + 1)
    assert len(talk.world.workloads.all()) == 2


def test_a_living_process_that_leaves_the_table_no_longer_runs() -> None:
    """Given a table too small for all that live, then a workload does not run for ever for one that left."""
    talk = Conversation()
    talk.world.processes = Processes(limit=2)
    talk.tell(executed())
    talk.use()
    assert talk.workload.running
    talk.tell(forked(pid=PID + 5, child=PID + 6), forked(pid=PID + 5, child=PID + 7))
    assert not talk.workload.running


def test_what_becomes_a_model_is_judged() -> None:
    """Given a file that could not be read, when a later look finds a model in it, then that model is judged."""
    talk = judged()
    first = of(Raise, talk.tell(opened(), not_read()))
    talk.tell(opened(at=NOW + 61 * SECOND))
    then = of(Raise, talk.tell(is_model(at=NOW + 62 * SECOND)))
    assert [one.alert.subject for one in first] == [f"model:{MODEL}"]
    assert [one.alert.subject for one in then] == ["model:gguf:tiny"]


def test_the_end_of_a_process_is_not_its_number() -> None:
    """Given the end of one process, then another of the same number still runs."""
    talk = Conversation()
    talk.tell(executed(), executed(start_ns=START + SECOND))
    talk.use()
    talk.tell(exited(start_ns=START + SECOND))
    assert talk.workload.running


def test_another_file_under_the_same_number_is_announced() -> None:
    """Given a model that was deleted and whose number went to another one, then that one is new."""
    talk = Conversation()
    talk.tell(executed())
    talk.use()
    number = talk.model().file.inode
    other = file("/m/b.gguf", inode=number, size=7, mtime_ns=9, ctime_ns=9)
    again = replace(opened("/m/b.gguf"), inode=number, size=7, mtime_ns=9, ctime_ns=9)
    told = of(Announce, talk.tell(again, is_model("/m/b.gguf", which=other)))
    assert [dict(one.fields)["path"] for one in told] == ["/m/b.gguf"]
    assert talk.model().opens == 1


def test_a_file_that_became_another_model_is_announced() -> None:
    """Given a file that is written again with another model in it, then the next read is told."""
    talk = Conversation()
    talk.tell(executed())
    talk.use()
    changed = file(mtime_ns=9, ctime_ns=9)
    again = replace(opened(), mtime_ns=9, ctime_ns=9)
    told = of(Announce, talk.tell(again, is_model(which=changed, what=replace(TINY, name="other"))))
    assert [dict(one.fields)["name"] for one in told] == ["other"]
    assert talk.model().opens == 2


def test_a_file_that_is_being_written_is_no_read() -> None:
    """Given a file that is opened empty for reading and writing, as unzip does, then nobody has read weights."""
    talk = Conversation()
    talk.tell(executed())
    assert talk.tell(opened(identity=file(size=0), flags=os.O_RDWR)) == []
    assert not talk.knows()


def test_a_download_that_goes_on_is_no_read() -> None:
    """Given a file that is opened to be written on and has changed before the answer, then it is no model in use."""
    talk = Conversation()
    talk.tell(executed(), opened(flags=os.O_RDWR), not_read(outcome=Inspection.CHANGED))
    assert talk.world.workloads.all() == []
    assert not talk.knows()


def test_a_reader_of_a_file_that_changes_stands() -> None:
    """Given a reader, when the file changes before the answer, then it stands with the reason: no way to hide."""
    talk = Conversation()
    talk.tell(executed(), opened(), not_read(outcome=Inspection.CHANGED, reason="changed"))
    assert (talk.model().identity, talk.model().reason, talk.workload.running) == (None, "changed", True)


def test_to_touch_a_file_is_no_way_to_hide_it() -> None:
    """Given weights under a dull name that changed before the answer, then who holds them is looked at once more."""
    talk = Conversation()
    path = "/m/notes.bin"
    talk.tell(executed(), opened(path))
    looks = of(FindProcess, talk.tell(not_read(path, Inspection.CHANGED)))
    touched = file(path, ctime_ns=9)
    asked = of(InspectFile, talk.tell(process_found(), file_found(path, identity=touched)))
    talk.tell(is_model(path, which=touched))
    assert [one.pid for one in looks] == [PID]
    assert [one.file for one in asked] == [touched]
    assert talk.model(path).identity == TINY


def test_a_log_that_changes_for_ever_is_left_alone() -> None:
    """Given a file that has changed again at the second look, then there is no third one."""
    talk = Conversation()
    path = "/m/notes.bin"
    talk.tell(executed(), opened(path), not_read(path, Inspection.CHANGED))
    touched = file(path, ctime_ns=9)
    talk.tell(process_found(), file_found(path, identity=touched))
    assert of(FindProcess, talk.tell(not_read(path, Inspection.CHANGED, which=touched))) == []
