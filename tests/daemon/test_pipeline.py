"""What the core answers to what happens: from an open to an alert that grows."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tests.conversation import Conversation
from tests.kit import (
    DEVICE,
    MODEL,
    NOW,
    NOW_WALL,
    PID,
    SECOND,
    TINY,
    TODAY,
    UID,
    counted,
    executed,
    exited,
    file,
    file_found,
    forked,
    inode_of,
    is_model,
    is_no_model,
    not_read,
    of,
    opened,
    policy_loaded,
    process_found,
    remembered,
    resynced,
    started,
    tick,
    user_named,
)

from modelwarden.daemon.alerts.correlate import GROWTH_INTERVAL_NS
from modelwarden.daemon.command import (
    Announce,
    Command,
    HashFile,
    InspectFile,
    NameUser,
    Raise,
    RememberFile,
    WatchProcess,
)
from modelwarden.daemon.documents import alert_document, model_document, workload_document
from modelwarden.daemon.event import Inspection
from modelwarden.daemon.model.world import ModelUsed, World
from modelwarden.daemon.pipeline import RULE_ERRORS_MAX, Core
from modelwarden.daemon.policy import ModelApproval
from modelwarden.daemon.rules.rule import About, Finding
from modelwarden.daemon.rules.unapproved_model import RULE
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.sampled.tick import Tick

APPROVED = ModelApproval(name="tiny")
LATER = NOW + GROWTH_INTERVAL_NS


_ABOUT_BROKEN = replace(RULE.about, name="broken")


@dataclass(frozen=True)
class Broken:
    """A rule with a mistake in it."""

    about: About = _ABOUT_BROKEN

    def judge(self, used: ModelUsed, world: World) -> Finding | None:
        """Never comes to an end."""
        del world
        raise ZeroDivisionError(f"a mistake about {used.model.path}")


@pytest.fixture
def talk() -> Conversation:
    """A core with the rule `unapproved_model` that knows one program and has no policy."""
    talk = Conversation(RULE)
    talk.tell(executed())
    return talk


def test_from_an_open_to_the_census() -> None:
    """Given a model that is opened, then the core asks, learns, remembers, watches, orders its sum and announces."""
    talk = Conversation(named=False)
    talk.tell(executed())
    asked = talk.tell(opened())
    answered = talk.tell(user_named(), is_model())
    assert [type(one) for one in asked] == [NameUser, InspectFile]
    assert [type(one) for one in answered] == [RememberFile, WatchProcess, HashFile, Announce]


def test_what_is_told_waits_for_the_name() -> None:
    """Given a user whose name is not known yet, then announcement and alert come with it, each once."""
    talk = Conversation(RULE, named=False)
    talk.tell(policy_loaded(), executed(), opened())
    before = talk.tell(is_model())
    after = talk.tell(user_named())
    assert of(Announce, before) == []
    assert of(Raise, before) == []
    assert [dict(one.fields)["user"] for one in of(Announce, after)] == ["alice"]
    assert [one.alert.process["user"] for one in of(Raise, after)] == ["alice"]
    assert of(Announce, talk.tell(tick(NOW + SECOND))) == []


def test_nobody_waits_for_a_name_for_long() -> None:
    """Given a system that does not answer, then all is told with the number at the next tick."""
    talk = Conversation(RULE, named=False)
    talk.tell(policy_loaded(), executed(), opened(), is_model())
    told = talk.tell(tick(NOW + SECOND))
    assert [dict(one.fields)["user"] for one in of(Announce, told)] == [str(UID)]
    assert len(of(Raise, told)) == 1


def test_announcement(talk: Conversation) -> None:
    """Whoever watches the terminal sees what, by whom, where."""
    talk.tell(opened(login_uid=7), user_named(), user_named(7, None))
    (said,) = of(Announce, talk.tell(is_model()))
    fields = dict(said.fields)
    assert said.message == "model_opened"
    assert (fields["name"], fields["format"], fields["path"], fields["pid"]) == ("tiny", "gguf", MODEL, PID)
    assert (fields["user"], fields["login_user"], fields["exe"]) == ("alice", "7", "/usr/bin/llama")
    assert fields["workload"] == talk.workload.id


def test_announced_once_for_each_workload(talk: Conversation) -> None:
    """Given many opens of one model, then each workload is announced once, though it has many processes."""
    talk.use()
    talk.tell(opened(), counted(5), forked(PID, 201), opened(pid=201), opened("/m/copy.gguf"), is_model("/m/copy.gguf"))
    talk.tell(executed(PID + 1, "/usr/bin/other"), opened(pid=PID + 1))
    said = [dict(one.fields) for one in of(Announce, talk.commands)]
    assert [(one["path"], one["exe"]) for one in said] == [
        (MODEL, "/usr/bin/llama"),
        ("/m/copy.gguf", "/usr/bin/llama"),
        (MODEL, "/usr/bin/other"),
    ]


def test_without_a_section_nothing_is_wrong(talk: Conversation) -> None:
    """A policy that does not speak of models raises nothing."""
    talk.use()
    assert of(Raise, talk.commands) == []


def test_unapproved_model_raises_an_alert(talk: Conversation) -> None:
    """Given a policy that approves nothing, then the use is an alert that says all that the SOC needs."""
    talk.tell(policy_loaded(), forked(PID, 201), executed(201, "/usr/bin/python3", ("python3", "x.py"), parent_pid=PID))
    talk.tell(opened(pid=201), user_named())
    (raised,) = of(Raise, talk.tell(is_model()))
    alert = raised.alert
    assert raised.is_new
    assert (alert.rule, alert.severity.value, alert.host_id, alert.count) == ("unapproved_model", "medium", "host", 1)
    assert (alert.workload, alert.subject) == (talk.workload.id, "model:gguf:tiny")
    assert (alert.first_seen_ns, alert.last_seen_ns, alert.evidence[0].at_ns) == (NOW_WALL, NOW_WALL, NOW_WALL)
    assert alert.model is not None
    assert (alert.model["path"], alert.model["opens"]) == (MODEL, 1)
    assert (alert.process["cmdline"], alert.process["user"]) == ("python3 x.py", "alice")
    assert alert.process["lineage"] == [{"pid": PID, "exe": "/usr/bin/llama", "cmdline": "llama"}]
    assert talk.core.raised == {("unapproved_model", "medium"): 1}


@pytest.mark.parametrize(
    ("approval", "raises"),
    [(APPROVED, 0), (ModelApproval(name="tiny", expires=TODAY - timedelta(days=1)), 1)],
    ids=["approved", "expired"],
)
def test_approval(talk: Conversation, approval: ModelApproval, raises: int) -> None:
    """What is approved by name is silent until the approval expires."""
    talk.tell(policy_loaded(approval))
    assert len(of(Raise, talk.use())) == raises


def test_one_alert_that_grows(talk: Conversation) -> None:
    """Given five hundred opens, then the SOC gets one alert, told twice, with the exact number."""
    talk.tell(policy_loaded())
    talk.use()
    talk.tell(*(opened(at=NOW + one) for one in range(99)), counted(400))
    assert len(of(Raise, talk.commands)) == 1
    (told,) = of(Raise, talk.tell(tick(LATER - 1), tick(LATER), tick(LATER + SECOND)))
    assert (told.is_new, told.alert.count, len(told.alert.evidence)) == (False, 500, 1)
    assert talk.core.raised == {("unapproved_model", "medium"): 1}


def test_new_policy_judges_what_runs(talk: Conversation) -> None:
    """Given a model in use, then a policy that does not approve it raises at once, though nothing was opened."""
    talk.use()
    assert of(Raise, talk.tell(policy_loaded(APPROVED))) == []
    (raised,) = of(Raise, talk.tell(policy_loaded()))
    assert (raised.alert.count, raised.alert.evidence[0].what.split("]")[1][:11]) == (1, " has in use")
    assert talk.model().opens == 1
    talk.tell(exited())
    assert of(Raise, talk.tell(policy_loaded())) == []


def test_approval_takes_effect(talk: Conversation) -> None:
    """Given an alert, then an approval ends its growth."""
    talk.tell(policy_loaded())
    talk.use()
    talk.tell(policy_loaded(APPROVED), opened(), opened())
    assert of(Raise, talk.tell(tick(LATER))) == []


def test_file_that_nobody_could_read_is_announced_with_the_reason(talk: Conversation) -> None:
    """A strong name that could not be inspected is in the census, without a format, and unapproved."""
    talk.tell(policy_loaded(ModelApproval(name="*")), opened())
    answers = talk.tell(not_read(outcome=Inspection.UNREADABLE, reason="FUSE"))
    fields = dict(of(Announce, answers)[0].fields)
    assert (fields["format"], fields["reason"], fields["path"]) == (None, "FUSE", MODEL)
    document = model_document(talk.model())
    assert (document["format"], document["reason"], document["verdict"]) == (None, "FUSE", "unscannable")
    assert [one.alert.subject for one in of(Raise, answers)] == [f"model:{MODEL}"]


def test_restart_goes_on(talk: Conversation) -> None:
    """Given what an earlier run stored, then counts, first times, workloads and alerts continue."""
    talk.tell(policy_loaded())
    talk.use()
    talk.tell(opened())
    (told,) = of(Raise, talk.tell(tick(LATER)))
    stored = remembered(
        [(f"{DEVICE}:{inode_of(MODEL)}", model_document(talk.model()))],
        [workload_document(talk.workload, talk.world)],
        [alert_document(told.alert)],
    )
    again = Conversation(RULE)
    at = NOW + 3600 * SECOND
    again.tell(stored, policy_loaded(), executed(7, at=at), opened(pid=7, at=at), is_model(at=at))
    assert (again.model().opens, again.model().first_seen_ns) == (3, NOW_WALL)
    assert (again.workload.id, again.workload.first_seen_ns) == (talk.workload.id, NOW_WALL)
    assert of(Raise, again.commands) == []
    (grown,) = of(Raise, again.tell(tick(at + GROWTH_INTERVAL_NS)))
    assert (grown.alert.id, grown.alert.count, grown.is_new) == (told.alert.id, 3, False)
    document = workload_document(again.workload, again.world)
    assert [model["path"] for model in document["models"]] == [MODEL]


def test_rule_that_fails_is_switched_off(talk: Conversation) -> None:
    """Given a rule that raises, then it is told, counted and switched off; the others go on."""
    talk = Conversation(Broken(), RULE)
    talk.tell(executed(), policy_loaded())
    talk.use()
    talk.tell(*(opened(at=NOW + number) for number in range(2 * RULE_ERRORS_MAX)))
    failed = [dict(one.fields) for one in of(Announce, talk.commands) if one.message == "rule_failed"]
    assert [one["switched_off"] for one in failed] == [0] * (RULE_ERRORS_MAX - 1) + [1]
    assert (failed[0]["rule"], failed[0]["error"]) == ("broken", f"ZeroDivisionError('a mistake about {MODEL}')")
    assert talk.core.rule_errors == {"broken": RULE_ERRORS_MAX}
    assert of(Raise, talk.tell(tick(LATER)))[0].alert.count == 1 + 2 * RULE_ERRORS_MAX


def test_everything_is_counted(talk: Conversation) -> None:
    """Events by their kind, inspections by their outcome."""
    talk.use()
    talk.tell(opened("/m/b.gguf"), is_no_model("/m/b.gguf"), tick())
    assert (talk.core.events[FileOpened], talk.core.events[Tick]) == (2, 1)
    assert talk.core.inspections == {"model": 1, "not_a_model": 1}


def test_what_was_open_when_the_alert_was_raised_is_found_again() -> None:
    """Given a daemon that starts after the model was opened, then the alert is the same as if it had been there."""
    before, after = Conversation(RULE), Conversation(RULE)
    before.tell(policy_loaded(), executed())
    after.tell(policy_loaded(), process_found(), file_found(), resynced())
    before.use()
    after.tell(is_model())
    ids = [of(Raise, one.commands)[0].alert.id for one in (before, after)]
    assert ids[0] == ids[1]


def test_same_events_give_the_same_commands() -> None:
    """A replay asks nobody: the same events lead to the same commands."""
    story: list[Event] = [
        started("h"),
        policy_loaded(),
        executed(),
        opened(uid=UID + 1, login_uid=UID + 2),
        is_model(what=replace(TINY, problem="half of it is missing")),
        opened(),
        counted(9),
        opened("/m/b.gguf", identity=file("/m/b.gguf", size=5)),
        not_read("/m/b.gguf", which=file("/m/b.gguf", size=5)),
        exited(),
        tick(LATER),
    ]

    def replay() -> list[Command]:
        core = Core([RULE])
        return [command for event in story for command in core.step(event)]

    assert replay() == replay()
    assert len(of(Raise, replay())) == 3
