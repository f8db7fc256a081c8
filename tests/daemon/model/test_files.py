"""The table of files."""

from dataclasses import replace

import pytest
from tests.kit import MODEL, TINY, file, is_model, is_no_model, not_read
from tests.rows import model_file, process

from modelwarden.daemon.event import FileIdentity
from modelwarden.daemon.identify.origins.origin import Source
from modelwarden.daemon.model.files import (
    ASKED_MAX,
    NO_MODELS_LIMIT,
    PATHS_MAX,
    WAITING_MAX,
    Files,
    ModelFile,
    Standing,
)


@pytest.mark.parametrize(
    ("changed", "path", "continues"),
    [
        (file(mtime_ns=2, ctime_ns=2), MODEL, True),
        (file(size=7, mtime_ns=2, ctime_ns=2), MODEL, True),
        (file(ctime_ns=2), "/m/renamed.gguf", True),
        (file(size=7, mtime_ns=1, ctime_ns=2), "/m/other.gguf", False),
        (file(mtime_ns=2, ctime_ns=2), "/m/other.gguf", False),
    ],
    ids=["touched", "rewritten", "renamed", "another of the same time", "another of the same size"],
)
def test_continues_as(changed: FileIdentity, path: str, continues: bool) -> None:
    """A new state is the same model when the path is known or the content has not changed, else another file."""
    assert model_file().continues_as(changed, path) is continues


def test_paths_are_bounded_and_the_latest_is_last() -> None:
    """The oldest paths leave; one that comes back moves to the end and stands once."""
    entry = model_file()
    for number in range(PATHS_MAX):
        entry.add_path(f"/m/{number}.gguf")
    assert (len(entry.paths), entry.path, entry.paths[-1]) == (PATHS_MAX, "/m/15.gguf", "/m/15.gguf")
    assert MODEL not in entry.paths
    entry.add_path("/m/3.gguf")
    assert (entry.path, entry.paths[-1], entry.paths.count("/m/3.gguf")) == ("/m/3.gguf", "/m/3.gguf", 1)


def test_waiting_is_by_process_and_bounded() -> None:
    """Opens of one process wait together; those that find no room are counted without a name."""
    entry, first = model_file(), process(1)
    entry.wait(first, 5, 2)
    entry.wait(first, 9, 3)
    assert [(one.at, one.count) for one in entry.waiting] == [(5, 5)]
    assert entry.awaits(first)
    assert not entry.awaits(process(1)), "another process of the same number"
    for pid in range(2, WAITING_MAX + 4):
        entry.wait(process(pid), 9, 2)
    assert (len(entry.waiting), entry.unattributed) == (WAITING_MAX, 6)


def known(path: str) -> ModelFile:
    """An entry that has been answered for."""
    entry = model_file(path)
    entry.standing = Standing.MODEL
    return entry


def test_oldest_open_leaves_and_is_counted() -> None:
    """A full table lets go of the model that was opened longest ago, not of the one that was added first."""
    files, reader = Files(limit=2), process()
    first, second, third = (known(path) for path in ("/m/1.gguf", "/m/2.gguf", "/m/3.gguf"))
    for entry in (first, second, first, third):
        assert files.admit(entry, reader)
    assert (len(files), files.evicted) == (2, 1)
    assert files.get(*second.key) is None
    assert files.get(*first.key) is first


def test_those_that_wait_crowd_no_model_out() -> None:
    """A flood of files that nobody has looked into yet is turned away, and counted; what is known stays."""
    files = Files(limit=2, pending_limit=3)
    model = known("/m/model.gguf")
    files.admit(model, process(1))
    admitted = [files.admit(model_file(f"/m/{number}.gguf"), process(number)) for number in range(5)]
    assert admitted == [True, True, True, False, False]
    assert (files.get(*model.key), files.evicted) == (model, 2)


def test_one_process_has_its_share_of_the_waiting_room() -> None:
    """Who opens junk by the thousand leaves room for others, and gets it back with each answer."""
    files, flooder = Files(share=2), process(1)
    junk = [model_file(f"/m/{number}.gguf") for number in range(3)]
    assert [files.admit(entry, flooder) for entry in junk] == [True, True, False]
    assert files.admit(model_file("/m/other.gguf"), process(2))
    files.settle(is_no_model("/m/0.gguf"))
    assert files.admit(junk[2], flooder)


def test_questions_are_bounded_and_in_order() -> None:
    """Only so many questions are open at a time; each answer makes room for the next in line."""
    files = Files(share=ASKED_MAX + 2)
    entries = [model_file(f"/m/{number}.gguf") for number in range(ASKED_MAX + 2)]
    for entry in entries:
        files.admit(entry, process(1))
        files.ask(entry)
    asked = [files.next_to_ask() for _ in range(ASKED_MAX)]
    assert asked == entries[:ASKED_MAX]
    assert files.next_to_ask() is None
    files.settle(is_model("/m/5.gguf"))
    assert files.next_to_ask() is entries[ASKED_MAX]
    assert files.next_to_ask() is None


def test_the_same_state_is_asked_about_once() -> None:
    """As long as a question is open it is not put again, so each has one answer."""
    files, entry = Files(), model_file()
    files.admit(entry, process(1))
    files.ask(entry)
    assert files.next_to_ask() is entry
    files.ask(entry)
    assert files.next_to_ask() is None


def test_another_file_under_the_number_takes_the_place() -> None:
    """Of two entries with one key the later one stands, and the share is not charged twice."""
    files, reader = Files(share=1), process(1)
    files.admit(model_file(), reader)
    other = model_file()
    assert files.admit(other, reader)
    assert (files.get(*other.key), len(files)) == (other, 1)


def test_answer_settles_the_state_that_was_asked_about() -> None:
    """An answer about another state of the file says nothing of this one."""
    files, entry = Files(), model_file()
    files.admit(entry, process(1))
    assert files.settle(is_model(which=file(ctime_ns=9))) is None
    assert entry.standing is Standing.PENDING
    assert files.settle(is_model()) is entry
    assert (entry.standing, entry.identity) == (Standing.MODEL, TINY)


def test_answer_about_a_file_that_left() -> None:
    """Nobody waits for it any more."""
    assert Files().settle(is_model()) is None


def test_unreadable_stands_only_when_its_name_is_strong() -> None:
    """A strong name stands with the reason, everything else leaves."""
    files, strong, weak = Files(), model_file(strong=True), model_file("/m/a.bin")
    files.admit(strong, process(1))
    files.admit(weak, process(1))
    assert files.settle(not_read(reason="FUSE")) is strong
    assert (strong.standing, strong.identity, strong.reason) == (Standing.UNKNOWN, None, "FUSE")
    assert files.settle(not_read("/m/a.bin")) is None
    assert len(files) == 1


def test_no_model_is_known_by_its_state() -> None:
    """The same number with new content may be a model."""
    files = Files()
    files.settle(is_no_model())
    assert files.is_no_model(file())
    assert not files.is_no_model(file(ctime_ns=2))


def test_no_models_are_bounded() -> None:
    """What is no model is remembered for the latest files only."""
    files = Files()
    for number in range(NO_MODELS_LIMIT + 1):
        files.settle(is_no_model(which=file(inode=number)))
    assert not files.is_no_model(file(inode=0))
    assert files.is_no_model(file(inode=NO_MODELS_LIMIT))


def test_origin_and_sum_go_with_the_state() -> None:
    """What the store says comes with the answer, and a file that is written again loses it, and its sum."""
    files, entry = Files(), model_file(sha256="ab" * 32, hash_pending=True)
    source = Source("ollama", "library/tiny")
    files.admit(entry, process())
    assert files.settle(replace(is_model(), origin=source)) is entry
    assert entry.origin is source
    entry.become(file(ctime_ns=2))
    assert (entry.origin, entry.sha256, entry.hash_pending) == (None, None, False)
