"""What becomes of files that matter, and what is said of it."""

import os

import pytest
from tests.conversation import Conversation
from tests.kit import (
    MODEL,
    MOUNT_NS,
    NOW,
    PID,
    SECOND,
    changed,
    executed,
    file,
    file_found,
    inode_of,
    is_model,
    is_no_model,
    mapped,
    of,
    opened,
    process_found,
    tick,
    user_named,
)

from modelwarden.daemon.command import Announce, Command, NameUser
from modelwarden.daemon.event import Stopping
from modelwarden.daemon.model.changes import LINES_MAX, PATHS_LIMIT, USERS_MAX, WINDOW_NS, Changes
from modelwarden.probes.candidate import Candidate
from modelwarden.probes.kernel.file_change import Change

PRELOAD = "/etc/ld.so.preload"
NAMED = int(Candidate.NAMED_FILE)
ELSEWHERE = "/m/holiday.txt"


def said(commands: list[Command]) -> list[tuple[str, str, str | None, str | None]]:
    """What was announced of changes: action, path, source, model."""
    found = [dict(one.fields) for one in of(Announce, commands) if one.message == "file_changed"]
    return [(str(one["action"]), str(one["path"]), one["source"], one["model"]) for one in found]  # type: ignore[misc]


def with_model(path: str = MODEL) -> Conversation:
    """A conversation in which a process has read a model."""
    talk = Conversation()
    talk.tell(executed())
    talk.use(path)
    return talk


@pytest.mark.parametrize("by_number", [True, False])
def test_a_model_that_is_renamed_stays_the_same(by_number: bool) -> None:
    """Its path follows, by the file's number or, where only names are told, by the name; opens keep counting."""
    talk = with_model()
    before = file() if by_number else None

    answer = talk.tell(changed(Change.RENAME, ELSEWHERE, MODEL, identity=before))
    assert said(answer) == [("rename", ELSEWHERE, MODEL, "tiny")]
    assert (talk.model().path, talk.model().paths) == (ELSEWHERE, [MODEL, ELSEWHERE])

    after = file(ctime_ns=2)  # a rename is a change of state
    talk.tell(opened(ELSEWHERE, identity=after), is_model(which=after))
    assert (talk.model().path, talk.model().opens) == (ELSEWHERE, 2)


def test_who_changed_a_model() -> None:
    """The announcement says process, program, users and workload."""
    talk = with_model()
    (told,) = of(Announce, talk.tell(changed(Change.UNLINK, MODEL, identity=file())))
    assert told.message == "file_changed"
    assert dict(told.fields) == {
        "action": "unlink",
        "path": MODEL,
        "source": None,
        "model": "tiny",
        "exe": "/usr/bin/llama",
        "pid": PID,
        "user": "alice",
        "login_user": "alice",
        "workload": talk.workload.id,
    }


def test_a_name_is_followed_through_all_changes() -> None:
    """Where only names are told: renamed, linked, exchanged, removed; each time it is known which file it was."""
    talk = with_model()
    answers = talk.tell(
        changed(Change.RENAME, "/m/b.gguf", MODEL),
        changed(Change.RENAME, "/m/c.gguf", MODEL),  # another file, that was made there since
        changed(Change.LINK, "/m/d.gguf", "/m/b.gguf"),
        changed(Change.EXCHANGE, "/m/e.gguf", "/m/b.gguf"),
        changed(Change.TRUNCATE, "/m/b.gguf"),  # now the other one
        changed(Change.TRUNCATE, "/m/e.gguf"),
        changed(Change.UNLINK, "/m/d.gguf"),
        changed(Change.UNLINK, "/m/d.gguf"),  # it is gone
        changed(Change.SYMLINK, "/m/e.gguf", MODEL),
    )
    assert said(answers) == [
        ("rename", "/m/b.gguf", MODEL, "tiny"),
        ("link", "/m/d.gguf", "/m/b.gguf", "tiny"),
        ("exchange", "/m/e.gguf", "/m/b.gguf", "tiny"),
        ("truncate", "/m/e.gguf", None, "tiny"),
        ("unlink", "/m/d.gguf", None, "tiny"),
    ]


def test_a_name_belongs_to_its_mount_namespace() -> None:
    """The same path in a container is another file."""
    talk = with_model()
    assert said(talk.tell(changed(Change.UNLINK, MODEL, mount_ns=MOUNT_NS + 1))) == []


@pytest.mark.parametrize("way", ["mapped", "found"])
def test_names_come_from_every_sight_of_a_model(way: str) -> None:
    """A model that was mapped, or was held before we came, has a name too."""
    talk = Conversation()
    talk.tell(process_found())
    talk.tell(mapped() if way == "mapped" else file_found(), is_model())
    assert said(talk.tell(changed(Change.UNLINK, MODEL))) == [("unlink", MODEL, None, "tiny")]


@pytest.mark.parametrize("by_number", [True, False])
def test_a_model_that_is_replaced(by_number: bool) -> None:
    """What another file is renamed over was the model."""
    talk = with_model()
    new, old = (file("/m/new"), file()) if by_number else (None, None)
    assert said(talk.tell(changed(Change.RENAME, MODEL, "/m/new", identity=new, other=old))) == [
        ("rename", MODEL, "/m/new", "tiny")
    ]
    assert talk.model().path == MODEL


def test_what_is_no_model_is_changed_in_silence() -> None:
    """Of a file that is not known, still asked about or no model nothing is said."""
    talk = Conversation()
    talk.tell(executed(), opened("/m/pending.gguf"), opened("/m/none.gguf"), is_no_model("/m/none.gguf"))
    for path in ("/m/unknown.gguf", "/m/pending.gguf", "/m/none.gguf"):
        assert said(talk.tell(changed(Change.UNLINK, path, identity=file(path)), changed(Change.UNLINK, path))) == []


def test_files_that_a_policy_names() -> None:
    """Every way to touch one is told; a name that the kernel only takes for it is not."""
    talk = Conversation()
    answers = talk.tell(
        executed(),
        changed(Change.RENAME, PRELOAD, "/tmp/x", reasons=NAMED),
        changed(Change.SYMLINK, PRELOAD, "/tmp/x", reasons=NAMED),
        opened(PRELOAD, flags=os.O_WRONLY, reasons=NAMED),
        opened(PRELOAD, flags=os.O_WRONLY, reasons=NAMED, created=1),
        changed(Change.UNLINK, "/etc/ld.so.p.reload", reasons=NAMED),
        changed(Change.UNLINK, PRELOAD, reasons=int(Candidate.WATCHED)),
        opened(PRELOAD, reasons=int(Candidate.WATCHED)),
    )
    assert said(answers) == [
        ("rename", PRELOAD, "/tmp/x", None),
        ("symlink", PRELOAD, "/tmp/x", None),
        ("write", PRELOAD, None, None),
        ("create", PRELOAD, None, None),
    ]


def test_repetitions_are_counted() -> None:
    """A loop that renames back and forth is two lines, and two with its count when the minute is over."""
    talk = with_model()
    for _ in range(100):
        talk.tell(changed(Change.RENAME, ELSEWHERE, MODEL), changed(Change.RENAME, MODEL, ELSEWHERE))
    assert len(said(talk.commands)) == 2

    assert said(talk.tell(tick(NOW + WINDOW_NS - 1))) == []
    counts = [dict(one.fields)["repeated"] for one in of(Announce, talk.tell(tick(NOW + WINDOW_NS)))]
    assert counts == [99, 99]
    assert said(talk.tell(tick(NOW + 2 * WINDOW_NS))) == []


def test_a_flood_of_one_user_costs_the_others_nothing() -> None:
    """Of more changes than fit into a minute it is told how many there were; another user's are told."""
    talk = with_model()
    talk.tell(user_named(0, "root"))
    for number in range(LINES_MAX + 7):
        talk.tell(changed(Change.UNLINK, f"/tmp/{number}/ld.so.preload", reasons=NAMED))
    assert len(said(talk.commands)) == LINES_MAX

    answer = talk.tell(changed(Change.UNLINK, PRELOAD, pid=7, uid=0, login_uid=0, reasons=NAMED))
    assert said(answer) == [("unlink", PRELOAD, None, None)]
    assert of(Announce, talk.tell(tick(NOW + WINDOW_NS))) == [
        Announce("file_changes_omitted", (("user", "alice"), ("count", 7)))
    ]


def test_what_was_counted_is_told_at_the_end() -> None:
    """The daemon does not stop with a count in its head."""
    talk = with_model()
    talk.tell(*[changed(Change.TRUNCATE, MODEL, identity=file())] * 3)
    (told,) = of(Announce, talk.tell(Stopping(NOW)))
    assert dict(told.fields)["repeated"] == 2


def test_a_name_is_waited_for() -> None:
    """Who it was is told with the name, or a second later without."""
    talk = Conversation(named=False)
    event = changed(Change.UNLINK, PRELOAD, reasons=NAMED)
    assert of(NameUser, talk.tell(event)) == [NameUser(event.uid)]
    assert said(talk.commands) == []
    (told,) = of(Announce, talk.tell(user_named()))
    assert dict(told.fields)["user"] == "alice"

    other = changed(Change.UNLINK, PRELOAD, reasons=NAMED, uid=5, login_uid=5)
    talk.tell(other)
    (told,) = of(Announce, talk.tell(tick(NOW + SECOND)))
    assert dict(told.fields)["user"] == "5"


def test_users_beyond_the_limit_share() -> None:
    """However many users a namespace has, what is kept of them is bounded."""
    talk = Conversation()
    for uid in range(USERS_MAX + LINES_MAX + 3):
        talk.tell(changed(Change.UNLINK, PRELOAD, pid=uid + 1, uid=uid, login_uid=uid, reasons=NAMED))
    told = of(Announce, talk.tell(Stopping(NOW)))
    assert told[-1] == Announce("file_changes_omitted", (("user", None), ("count", 3)))


def test_places_are_bounded() -> None:
    """The place that was not seen for longest leaves, and is counted."""
    talk = with_model()
    changes = Changes(talk.world)
    for number in range(PATHS_LIMIT + 5):
        changes.handlers()[type(opened())](opened(f"/m/{number}.gguf", identity=file()))
    assert changes.evicted == 5
    assert inode_of(MODEL) == talk.model().key[1]


def test_models_that_are_renamed_all_the_time_hide_no_named_file() -> None:
    """The lines of models and those of named files are counted each for themselves."""
    talk = with_model()
    for number in range(LINES_MAX + 1):
        talk.tell(changed(Change.LINK, f"/m/{number}.gguf", MODEL, identity=file()))
    assert said(talk.tell(changed(Change.UNLINK, PRELOAD, reasons=NAMED))) == [("unlink", PRELOAD, None, None)]


@pytest.mark.parametrize("seen_by", ["creation", "change"])
def test_a_number_that_is_given_anew(seen_by: str) -> None:
    """What is created, or has other times, under the number of a model that is no more is not that model."""
    talk = with_model()
    new = file(mtime_ns=7, ctime_ns=7)
    if seen_by == "creation":
        talk.tell(opened("/m/new.part", identity=new, flags=os.O_WRONLY | os.O_CREAT, created=1))
        assert said(talk.tell(changed(Change.RENAME, ELSEWHERE, "/m/new.part"))) == []
    else:
        assert said(talk.tell(changed(Change.RENAME, ELSEWHERE, "/m/new.part", identity=new))) == []

    talk.tell(opened(ELSEWHERE, identity=new))
    told = of(Announce, talk.tell(is_model(which=new)))
    assert [one.message for one in told] == ["model_opened"]
    assert talk.model().paths == [ELSEWHERE]
