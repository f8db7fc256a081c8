"""Documents that keep step with the core."""

import pytest
from tests.conversation import Conversation
from tests.kit import DEVICE, MODEL, NOW, NOW_WALL, SECOND, executed, exited, inode_of, opened, tick, user_named

from modelwarden.daemon.census import RUNNING_INTERVAL_NS, Census
from modelwarden.daemon.model.files import Files
from modelwarden.daemon.times import to_rfc3339

KEY = f"{DEVICE}:{inode_of(MODEL)}"


@pytest.fixture
def talk() -> Conversation:
    """A core with one workload."""
    talk = Conversation()
    talk.tell(executed())
    talk.use()
    return talk


def test_what_changed_is_rendered_once(talk: Conversation) -> None:
    """Given a use of a model, then the model and its workload are rendered, and not again until they change."""
    census = Census()
    models, workloads = census.update(talk.world, NOW)
    assert [(key, model["path"], model["opens"]) for key, model in models] == [(KEY, MODEL, 1)]
    assert [one["id"] for one in workloads] == [talk.workload.id]
    assert census.update(talk.world, NOW + SECOND) == ([], [])
    talk.tell(opened())
    models, workloads = census.update(talk.world, NOW + 2 * SECOND)
    assert (models[0][1]["opens"], len(workloads)) == (2, 1)


def test_census_holds_all_that_is_known(talk: Conversation) -> None:
    """What did not change stays, what changed replaces what was."""
    census = Census()
    census.update(talk.world, NOW)
    talk.use("/m/b.gguf")
    census.update(talk.world, NOW + SECOND)
    assert {one["path"] for one in census.models.values()} == {MODEL, "/m/b.gguf"}
    assert [len(one["models"]) for one in census.workloads.values()] == [2]


def test_what_waits_for_an_answer_is_not_shown(talk: Conversation) -> None:
    """A candidate is no model before the inspector says so."""
    talk.tell(opened("/m/pending.gguf"))
    models, _ = Census().update(talk.world, NOW)
    assert [model["path"] for _, model in models] == [MODEL]


def test_what_runs_is_brought_up_to_date(talk: Conversation) -> None:
    """Given nothing new, then `last_seen` of what runs follows the time, but not with every tick."""
    census = Census()
    census.update(talk.world, NOW)
    assert census.update(talk.world, NOW + RUNNING_INTERVAL_NS) == ([], [])
    later = RUNNING_INTERVAL_NS + SECOND
    (document,) = census.update(talk.world, NOW + later)[1]
    assert document["last_seen"] == to_rfc3339(NOW_WALL + later)


def test_end_and_names_are_changes(talk: Conversation) -> None:
    """The end of a workload and the name of its user are rendered when they become known."""
    census = Census()
    census.update(talk.world, NOW)
    talk.tell(user_named())
    assert [one["user"] for one in census.update(talk.world, NOW + SECOND)[1]] == ["alice"]
    talk.tell(exited(at=NOW + 2 * SECOND))
    (document,) = census.update(talk.world, NOW + 2 * SECOND)[1]
    assert not document["running"]
    assert census.update(talk.world, NOW + 100 * SECOND) == ([], [])


def test_what_left_the_core_leaves_the_census() -> None:
    """Given tables that are full, then the census is no larger than they are."""
    talk, census = Conversation(), Census()
    talk.world.files = Files(limit=2)
    talk.tell(executed())
    for number in range(5):
        talk.use(f"/m/{number}.gguf")
        census.update(talk.world, NOW)
    assert {one["path"] for one in census.models.values()} == {"/m/3.gguf", "/m/4.gguf"}


def test_it_is_drawn_at_each_tick(talk: Conversation) -> None:
    """By the tick's own time, and at no other event: so a journal gives the same again."""
    census = Census()
    assert census.after(opened(), talk.world) is None
    rows = census.after(tick(NOW + SECOND), talk.world)
    assert rows is not None
    assert [one["last_seen"] for one in rows[1]] == [to_rfc3339(NOW_WALL + SECOND)]


def test_rows_have_an_order(talk: Conversation) -> None:
    """Whatever the order of a set is in this process."""
    for number in range(40):
        talk.tell(executed(200 + number, f"/usr/bin/p{number}"))
        talk.use(pid=200 + number)
    found = [one["id"] for one in Census().update(talk.world, NOW)[1]]
    assert len(found) == 41
    assert found == sorted(found)
